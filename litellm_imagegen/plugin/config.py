"""What the operator configures: settings, deployments, keys. The only place that reads the environment.

Settings stand under `litellm_settings.imagegen_settings` in the proxy's YAML, where LiteLLM exposes them
as `litellm.imagegen_settings`, or come from `litellm_imagegen.register(settings=...)`.
"""

import os
import reprlib
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import litellm
import orjson
import yaml
from litellm.llms.custom_httpx.http_handler import get_ssl_configuration
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from litellm_imagegen.canonical import (
    ChatShape,
    Limits,
    Name,
    Notice,
    NoticeCode,
    OnNoImage,
    Policy,
    Preferences,
    ResponseShape,
)
from litellm_imagegen.errors import (
    AuthenticationFailed,
    ConfigurationError,
    RequestError,
    UnknownModel,
    quote,
)
from litellm_imagegen.fetching import FetchRules
from litellm_imagegen.plugin import bridge_deployment
from litellm_imagegen.profiles import Profile, row_from
from litellm_imagegen.providers import PROVIDERS, SANDBOX_WIRES, Credentials, Provider, Via, Wire
from litellm_imagegen.transport import Endpoint

Model = TypeVar("Model", bound=BaseModel)

PREFIX = "imagegen"
SANDBOX = "sandbox"
_SANDBOX_KEY = "sk-nex-no-key-needed"  # in the form that one of the simulated providers insists on
_SHOWN_CHARACTERS = 200
# A client's or an operator's headers must not change how a call is framed, routed or paid for.
_FRAMING_HEADERS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "cookie"}
)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bypass(StrEnum):
    """When pictures take their own way: where nobody else needs to see them, wherever possible, never."""

    AUTO = "auto"
    FORCE = "force"
    OFF = "off"


class Health(StrEnum):
    """What LiteLLM's health checks do: nothing, since a picture costs something, or draw one."""

    OFF = "off"
    PROBE = "probe"


class Choices(_Strict):
    """What settings, a deployment, a team, a key and a client can each choose; None leaves it to the next."""

    output: ChatShape | None = None
    responses: ResponseShape | None = None
    policy: Policy | None = None
    on_no_image: OnNoImage | None = None


class Overrides(Choices):
    """What settings, a deployment, a team and a key can set. `timeout` is in seconds for the whole call.

    `adopt` says whether image models of LiteLLM's own providers are answered here, or which of them: patterns
    of "<provider>/<model>" as LiteLLM has them. Without `health` no health check draws anything.
    """

    adopt: bool | tuple[str, ...] | None = None
    bypass: Bypass | None = None
    health: Health | None = None
    timeout: float | None = Field(default=None, gt=0)


class Fetch(_Strict):
    """Where pictures that clients name by address may come from: every public host, or those of a list."""

    hosts: tuple[str, ...] | None = None

    @property
    def rules(self) -> FetchRules:
        """The same as rules to fetch by."""
        return FetchRules(hosts=self.hosts)


class Settings(Overrides):
    """`imagegen_settings`. Without `timeout` it is 300 s, 600 s at 4K; without `bypass` it is auto.

    `models`, and the YAML file `models_file`, add and correct rows of models: by "<provider>/<model>" what
    is different from the row that the model has, or from that of the model named by `like`.
    """

    limits: Limits = Limits()
    locked: frozenset[str] = frozenset()
    models: dict[str, dict[str, Any]] = {}
    models_file: str | None = None
    fetch: Fetch = Fetch()

    @field_validator("locked")
    @classmethod
    def _known(cls, names: frozenset[str]) -> frozenset[str]:
        known = {*Choices.model_fields, *(str(name) for name in Name)}
        if not names <= known:
            raise ValueError(
                f"unknown: {', '.join(sorted(names - known))}; known: {', '.join(sorted(known))}"
            )
        return names


class Deployment(Overrides):
    """A deployment's `model_info.imagegen`. `defaults` are request fields in any dialect.

    With `successor` a model that is gone is replaced by the one that followed it, with a notice. `wire` names
    one of the provider's wires, where another one is to be taken than the model and the endpoint say.
    """

    defaults: dict[str, Any] = {}
    successor: bool = False
    wire: str | None = None


class _Registered:
    """Settings that came from Python; they go before those of the proxy's YAML."""

    settings: Mapping[str, Any] | None = None


def set_settings(settings: Mapping[str, Any]) -> None:
    """Take settings from Python. Raises `ConfigurationError`."""
    _parse_settings(_key(settings))
    _Registered.settings = dict(settings)


def settings() -> Settings:
    """The settings in force. Raises `ConfigurationError` that names key, value and what is allowed."""
    given = _Registered.settings
    if given is None:
        given = getattr(litellm, "imagegen_settings", None) or {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"imagegen_settings: {given!r} is not a mapping of settings")
    return _parse_settings(_key(given))


def _key(settings: Mapping[str, Any]) -> bytes:
    """Settings in a form that a cache can know them by."""
    for key in settings:
        if not isinstance(key, str):
            raise ConfigurationError(f"imagegen_settings: {key!r} is no name of a setting")
    try:
        return orjson.dumps(dict(settings), default=_plain)
    except TypeError as error:
        raise ConfigurationError(f"imagegen_settings: {quote(error)}") from error


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, set | frozenset) else repr(value)


@lru_cache(maxsize=8)
def _parse_settings(given: bytes) -> Settings:
    parsed = _validated(Settings, orjson.loads(given), "imagegen_settings")
    _rows_of_settings(parsed)
    return parsed


def own_rows(name: str) -> tuple[Profile, ...]:
    """The operator's rows for a provider's models. Raises `ConfigurationError`."""
    given = settings()
    if not given.models and given.models_file is None:
        return ()
    return _rows_of_settings(given).get(name, ())


def _rows_of_settings(given: Settings) -> dict[str, tuple[Profile, ...]]:
    """Rows by provider; those of the settings themselves first, since the first that fits counts."""
    rows: dict[str, tuple[Profile, ...]] = {}
    sources: list[tuple[str, Mapping[str, Any]]] = [("imagegen_settings.models", given.models)]
    if given.models_file is not None:
        sources.append((f"models_file {given.models_file}", _models_of_file(given.models_file)))
    for place, models in sources:
        for model, changes in models.items():
            name, row = _row(f"{place}.{model}", model, changes)
            rows[name] = (*rows.get(name, ()), row)
    return rows


def _row(place: str, model: str, changes: Any) -> tuple[str, Profile]:
    name, _, model_id = model.removeprefix(f"{PREFIX}/").partition("/")
    if not model_id or name not in PROVIDERS:
        known = ", ".join(sorted(PROVIDERS))
        raise ConfigurationError(f"{quote(place)} is no <provider>/<model> with a provider of {known}")
    if not isinstance(changes, Mapping):
        raise ConfigurationError(f"{quote(place)}: a mapping of the row's fields is needed")
    try:
        provider = PROVIDERS[name]
        wire = provider.wire(model_id)
        return name, row_from(wire.family, model_id.removeprefix(wire.prefix), changes, provider.rows)
    except ValidationError as error:
        raise _told(error, place, Profile) from error
    except ValueError as error:
        raise ConfigurationError(f"{quote(place)}.{quote(error)}") from error


@lru_cache(maxsize=8)
def _models_of_file(path: str) -> Mapping[str, Any]:
    """The rows of a file, read once."""
    try:
        given = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"models_file: {quote(path)} cannot be read: {quote(error)}") from error
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"models_file: {quote(path)} holds no mapping of models")
    return given


def deployment(model_info: Any) -> Deployment:
    """A deployment's own settings. Raises `ConfigurationError`."""
    given = model_info.get(PREFIX) if isinstance(model_info, Mapping) else None
    return _validated(Deployment, {} if given is None else given, f"model_info.{PREFIX}")


def overrides(given: Any, place: str) -> Overrides:
    """What a key's or a team's metadata sets. Raises `ConfigurationError`."""
    return _validated(Overrides, {} if given is None else given, place)


def preferences(
    operator: Iterable[Choices], client: Iterable[tuple[str, Any]], locked: frozenset[str]
) -> tuple[Preferences, tuple[Notice, ...]]:
    """The choices in force, and notices for those where a client was stopped.

    The stronger come later; `client` gives (place, choices) pairs. Raises `RequestError` for a bad choice
    of the client's.
    """
    chosen: dict[str, Any] = {}
    for given in operator:
        chosen |= choices_of(given)
    notices = []
    for place, given in client:
        try:
            wishes = choices_of(_validated(Choices, given, place))
        except ConfigurationError as error:
            raise RequestError(error.message, place) from error
        for name, wish in wishes.items():
            if name in locked:
                why, used = "the operator does not let clients set it", chosen.get(name)
                notices.append(
                    Notice(
                        code=NoticeCode.UNSUPPORTED, field=f"{place}.{name}", asked=wish, used=used, why=why
                    )
                )
            else:
                chosen[name] = wish
    return Preferences(**chosen), tuple(notices)


def choices_of(given: Choices) -> dict[str, Any]:
    """The choices alone of settings or of a deployment."""
    return {name: value for name in Choices.model_fields if (value := getattr(given, name)) is not None}


class Upstream(NamedTuple):
    """Whom a model's calls go to: the name that the operator has for it, the provider, the provider's id."""

    name: str
    provider: Provider
    model: str


def upstream_of(model: str) -> Upstream:
    """The upstream of "imagegen/<provider>/<model>", with or without the prefix.

    The sandbox speaks the wire of the model's own provider, or, as sandbox/<provider>/<model>, of any.
    Raises `UnknownModel` when there is no such provider.
    """
    name, _, model_id = model.removeprefix(f"{PREFIX}/").partition("/")
    if not model_id or (name != SANDBOX and name not in PROVIDERS):
        known = ", ".join(sorted({*PROVIDERS, SANDBOX}))
        raise UnknownModel(PREFIX, f"{model!r} is not imagegen/<provider>/<model> with a provider of {known}")
    if name != SANDBOX:
        return Upstream(name, PROVIDERS[name], model_id)
    simulated, _, inner = model_id.partition("/")
    if inner and simulated in PROVIDERS:
        return Upstream(name, PROVIDERS[simulated], inner)
    provider = next(provider for start, provider in SANDBOX_WIRES if model_id.startswith(start))
    return Upstream(name, provider, model_id)


@dataclass(frozen=True)
class Access:
    """What a deployment gives for its calls. Where it gives nothing, the environment is asked.

    `ssl_verify` is LiteLLM's: False, or a file of certificates. `parameters` are all of its `litellm_params`,
    for calls that LiteLLM itself carries out.
    """

    api_key: str | None = field(default=None, repr=False)
    api_base: str | None = None
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ssl_verify: bool | str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)


def endpoint(upstream: Upstream, access: Access, wire: Wire) -> Endpoint:
    """Where calls for a deployment go on a wire, and what they show.

    Raises `AuthenticationFailed` without a key and `ConfigurationError` without an address.
    """
    name, provider, _ = upstream
    if provider.via is Via.LITELLM:
        return bridge_deployment.endpoint(name, access.parameters, access.headers)
    headers = {key: value for key, value in access.headers.items() if key.lower() not in _FRAMING_HEADERS}
    base: str | None
    if name == SANDBOX:
        base = access.api_base or _sandbox_base(urlsplit(provider.base_url or "").path)
        key = access.api_key or _SANDBOX_KEY
    else:
        base = access.api_base or _first_in_environment(provider.base_variables)
        key = access.api_key or environment_key(provider) or ""
    if provider.needs_key and not key:
        variables = " or ".join(provider.key_variables)
        reason = f"no key; set api_key on the deployment, or {variables} in the environment"
        raise AuthenticationFailed(name, reason)
    connection = provider.connect(Credentials(key=key, base=base, options=_options(provider, access)))
    return Endpoint(
        name,
        wire.address(connection.base_url),
        connection.authentication,
        {**connection.headers, **headers},
        hosts=provider.hosts,
        query=connection.query,
        tls=_tls(access.ssl_verify),
    )


def _tls(ssl_verify: Any) -> ssl.SSLContext | bool | None:
    """How certificates are looked at where the operator has told LiteLLM, None where nobody has.

    Source: https://docs.litellm.ai/docs/guides/security_settings.
    """
    if ssl_verify is None and litellm.ssl_verify is True and "SSL_VERIFY" not in os.environ:
        return None
    told = get_ssl_configuration(ssl_verify)
    return told if isinstance(told, ssl.SSLContext) else bool(told)


def _options(provider: Provider, access: Access) -> dict[str, str]:
    found = {
        option: access.options.get(option) or environment_option(provider, option)
        for option in provider.option_variables
    }
    return {option: value for option, value in found.items() if value}


def environment_option(provider: Provider, option: str) -> str | None:
    """What the environment has for an option that requests to a provider show."""
    return _first_in_environment(provider.option_variables[option])


def environment_key(provider: Provider) -> str | None:
    """The first key that the environment has for a provider, read anew at each call."""
    return _first_in_environment(provider.key_variables)


def _first_in_environment(variables: Iterable[str]) -> str | None:
    return next((value for name in variables if (value := os.environ.get(name))), None)


def _sandbox_base(path: str) -> str:
    try:
        from litellm_imagegen.sandbox import server  # noqa: PLC0415  # an extra, and only then needed
    except ImportError as error:
        raise ConfigurationError(
            f"the sandbox needs {error.name}: pip install 'litellm_imagegen[sandbox]'"
        ) from error
    return server.base_url() + path


def _validated(model: type[Model], given: Any, place: str) -> Model:
    """Validate, and tell the first mistake by its full name."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _told(error, place, model) from error


def _told(error: ValidationError, place: str, model: type[BaseModel]) -> ConfigurationError:
    first = error.errors(include_url=False)[0]
    name = quote(".".join([place, *(str(step) for step in first["loc"])]))[:_SHOWN_CHARACTERS]
    if first["type"] == "extra_forbidden":
        return ConfigurationError(f"{name} is unknown; known: {', '.join(model.model_fields)}")
    shown = quote(reprlib.repr(first["input"]))[:_SHOWN_CHARACTERS]
    return ConfigurationError(f"{name}: {shown} is not allowed: {quote(first['msg'])}")
