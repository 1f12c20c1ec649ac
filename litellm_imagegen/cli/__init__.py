"""The `litellm-imagegen` command."""
