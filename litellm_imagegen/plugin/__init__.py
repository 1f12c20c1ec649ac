"""The only place that knows LiteLLM: plain data goes in from here, results go out in its types."""
