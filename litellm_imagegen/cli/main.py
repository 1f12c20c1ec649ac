"""`litellm-imagegen`: simulated providers, a first picture through a real proxy, and questions answered."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import orjson

from litellm_imagegen import __version__
from litellm_imagegen.canonical import Policy
from litellm_imagegen.cli import demo as demonstration
from litellm_imagegen.cli import models as known_models
from litellm_imagegen.profiles.facts import facts


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


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all that is known of each model.")
@click.option("--family", help="Only the models of this family.")
@click.option("--live", is_flag=True, help="Ask a provider for its own list, and compare.")
@click.option("--provider", help="Which provider to ask; its key is taken from the environment.")
@click.option("--api-base", help="Another address to ask than the provider's own.")
def models(
    *, as_json: bool, family: str | None, live: bool, provider: str | None, api_base: str | None
) -> None:
    """Show the models that are known here: shapes, sizes, formats, prices.

    With --live only which of a provider's image models have a row here, and which have not.
    """
    if live != (provider is not None):
        raise click.UsageError("--live and --provider go together")
    if live and family is not None:
        raise click.UsageError("--live compares all models of a provider: it takes no --family")
    if provider is not None:
        _show_live(provider, api_base, as_json=as_json)
        return
    try:
        if as_json:
            rows = [row for rows in known_models.families(family).values() for row in rows]
            _print_json([facts(row) for row in rows])
        else:
            click.echo(known_models.table(family))
    except known_models.UnknownFamily as error:
        raise click.BadParameter(str(error), param_hint="--family") from error


def _show_live(provider: str, api_base: str | None, *, as_json: bool) -> None:
    _let_litellm_look_nothing_up()
    from litellm_imagegen.cli import live  # noqa: PLC0415  # LiteLLM takes a second to import

    try:
        listed = live.listed(provider, api_base)
    except live.CannotList as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        _print_json(listed.facts())
    else:
        click.echo(listed.text())


@main.command()
@click.option("--model", required=True, help="[imagegen/]<provider>/<model>, as a deployment has it.")
@click.option(
    "--policy",
    type=click.Choice([str(policy) for policy in Policy]),
    default=str(Policy.ADAPT),
    show_default=True,
    help="What to do with a wish that the model cannot fulfil.",
)
@click.option("--set-default", "defaults", default="{}", help="The deployment's own defaults, as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.argument("request_json", metavar="REQUEST")
def explain(*, model: str, policy: str, defaults: str, as_json: bool, request_json: str) -> None:
    """Show what would be sent for REQUEST, and why, without sending it.

    REQUEST is JSON, or - for standard input: a body of the Images API where it has a prompt, of the
    Responses API where it has an input, else one of chat, which needs no messages. The exit status is 1
    where the request would be refused.
    """
    text = sys.stdin.read() if request_json == "-" else request_json
    body = _json_object("the request", text)
    own = _json_object("--set-default", defaults)
    _let_litellm_look_nothing_up()
    from litellm_imagegen.cli import explain as explaining  # noqa: PLC0415  # LiteLLM takes a second to import

    explanation = explaining.explain(model=model, body=body, defaults=own, policy=Policy(policy))
    if as_json:
        _print_json(explanation.facts())
    else:
        click.echo(explanation.text())
    sys.exit(0 if explanation.error is None else 1)


@main.command()
@click.argument("config_path", metavar="CONFIG", type=click.Path(path_type=Path))
def check(config_path: Path) -> None:
    """Say what a proxy's configuration will serve, and what is wrong with it.

    Nothing is started and nobody is asked; keys are looked for by their names only. The exit status is 1
    where anything is wrong.
    """
    _let_litellm_look_nothing_up()
    from litellm_imagegen.cli import check as checking  # noqa: PLC0415  # LiteLLM takes a second to import

    report = checking.check(config_path)
    click.echo(report.text())
    sys.exit(1 if report.findings else 0)


def _let_litellm_look_nothing_up() -> None:
    """LiteLLM fetches a list of prices while it is imported, unless told not to."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


def _json_object(what: str, text: str) -> Mapping[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"{what} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise click.ClickException(f"{what} is no JSON object")
    return value


def _print_json(value: Any) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str))
