"""`litellm-imagegen`: run the simulated providers, or see a first picture come through a real proxy."""

import sys
from pathlib import Path

import click

from litellm_imagegen import __version__
from litellm_imagegen.cli import demo as demonstration


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="litellm-imagegen")
def main() -> None:
    """Image generation through LiteLLM."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=4100, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
def sandbox(host: str, port: int) -> None:
    """Serve the simulated providers, so that any api_base can point at them.

    For Gemini set api_base to http://HOST:PORT/v1beta; any key will do.
    """
    try:
        from litellm_imagegen.sandbox import server  # noqa: PLC0415  # an extra, and only then needed
    except ImportError as error:
        raise click.ClickException(
            f"{error.name} is missing: pip install 'litellm_imagegen[sandbox]'"
        ) from error
    click.echo(f"simulated providers on http://{host}:{port} (Gemini: api_base http://{host}:{port}/v1beta)")
    try:
        server.serve(host, port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror or error}") from error


@main.command()
@click.option(
    "--port", default=4000, show_default=True, type=click.IntRange(1, 65535), help="Port of the proxy."
)
@click.option(
    "--config",
    "config_path",
    default="config.example.yaml",
    show_default=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The proxy's configuration.",
)
@click.option(
    "--model", default="sandbox-image", show_default=True, help="A model_name of that configuration."
)
@click.option("--prompt", default="A red fox reading a newspaper", show_default=True, help="What to draw.")
@click.option(
    "--output",
    default=Path("picture.png"),
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the picture goes.",
)
def demo(port: int, config_path: Path, model: str, prompt: str, output: Path) -> None:
    """Start a LiteLLM proxy, draw a picture through it, and leave the proxy running."""
    try:
        demonstration.run(port=port, config_path=config_path, model=model, prompt=prompt, output=output)
    except demonstration.DemonstrationFailed as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
