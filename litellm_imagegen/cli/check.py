"""What a proxy's configuration will serve, and what is wrong with it. Nothing is started, nobody is asked."""

import difflib
import os
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import litellm
import yaml
from pydantic import BaseModel, ValidationError

from litellm_imagegen.canonical import ImageRequest, Name
from litellm_imagegen.cli.models import cells, status
from litellm_imagegen.dialects import unknown_defaults
from litellm_imagegen.errors import ImagegenError, quote
from litellm_imagegen.plan.wishes import model_and_ending
from litellm_imagegen.plugin import config, requests
from litellm_imagegen.plugin.adoption import served_model
from litellm_imagegen.plugin.given import Given, Route, configured_defaults
from litellm_imagegen.profiles import Profile, known_row, rows_of
from litellm_imagegen.providers import Provider

CALLBACK = "litellm_imagegen.callback"
HANDLER = "litellm_imagegen.handler"
_ENDPOINTS = ("chat", "responses", "images/generations", "images/edits")
_REFERENCE = "os.environ/"
_SETTINGS = "imagegen_settings"
_MODEL = "litellm_params.model"
_DEFAULTS = f"model_info.{config.PREFIX}.defaults"
_LIKELY_PARAMETERS = (*(str(name) for name in Name), "api_key", "api_base")
_SHOWN_CHARACTERS = 200
_LOST_WITHOUT_CALLBACK = (
    "fields that LiteLLM drops before a handler sees them are lost, and x-imagegen-* headers are not sent"
)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where it stands, and what is the matter with it."""

    field: str
    told: str
    deployment: str | None = None


@dataclass(frozen=True)
class Report:
    """What was found in a file. `lines` are for people, in the order of the file; the last one sums up."""

    lines: tuple[str, ...]
    findings: tuple[Finding, ...]

    def text(self) -> str:
        """What the command prints."""
        return "\n".join(self.lines)


def check(path: Path) -> Report:
    """Look through a proxy's configuration. Raises nothing: what cannot be read is a finding."""
    given, findings = _loaded(path)
    settings = _mapping(given.get("litellm_settings"))
    with _in_force(settings.get(_SETTINGS)):
        deployments, odd = _deployments(given, adopts=CALLBACK in _listed(settings.get("callbacks")))
    findings += [*odd, *_settings_findings(given, settings)]
    if deployments:
        findings += _registration_findings(settings)
    lines = [_line(path, finding) for finding in findings]
    names = _names_of_environment(given)
    with _in_force(settings.get(_SETTINGS)):
        for deployment in deployments:
            own = [replace(finding, deployment=deployment.name) for finding in deployment.findings(names)]
            lines.append(f"{path}: {deployment.name}: {deployment.served()}")
            lines += [_line(path, finding) for finding in own]
            findings += own
    serves = f"{len(deployments)} deployment{'' if len(deployments) == 1 else 's'} of {config.PREFIX}"
    wrong = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" if findings else "nothing wrong"
    return Report((*lines, f"{path}: {serves}, {wrong}"), tuple(findings))


class _Deployment:
    """One entry of `model_list` that is answered here; `model` is "imagegen/<provider>/<model>"."""

    def __init__(self, name: str, entry: Mapping[str, Any], model: str) -> None:
        self.name = name
        self._parameters = _by_name(entry.get("litellm_params"))
        self._model_info = _by_name(entry.get("model_info"))
        self._model = model

    def served(self) -> str:
        """What clients get here."""
        try:
            provider_name, provider, model_id = config.upstream_of(self._model)
        except ImagegenError:
            return "serves nothing"
        endpoints = f"endpoints: {', '.join(_ENDPOINTS)}"
        if "*" in model_id:
            family = provider.wire(model_id).family
            return f"serves models {model_id} by {provider_name}, family {family}; {endpoints}"
        row, known = _row_of(provider, model_id)
        bare, ending = _without_ending(provider, model_id)
        shown = cells(row)
        likely = _likely(bare, known)
        own = str(self._parameters.get("model", ""))
        told = [
            f"adopted from {own}" if own != self._model else "",
            f"serves {model_id} by {provider_name}, family {row.family}",
            "known" if bare in known else f"no row here has this id{likely}: planned for as the newest one",
            f"drawn at {ending.removeprefix('-').upper()}" if ending else "",
            f"ratios or dimensions {shown.shape}" if shown.shape else "",
            f"sizes {shown.tiers}" if shown.tiers else "",
            status(row),
            endpoints,
        ]
        return "; ".join(filter(None, told))

    def findings(self, names: frozenset[str] | None) -> Iterator[Finding]:
        """What is wrong. `names` are those that the environment has, None where nobody knows."""
        wrong = [*self._mistakes()]
        yield from wrong
        try:
            provider_name, provider, model_id = config.upstream_of(self._model)
        except ImagegenError as error:
            yield Finding(_MODEL, error.message)
            return
        if names is not None:
            yield from self._key_findings(provider_name, provider, names)
        if "*" in model_id:
            return
        yield from self._model_findings(provider, model_id)
        if not wrong:
            yield from self._plan_findings(provider_name)

    def _mistakes(self) -> Iterator[Finding]:
        """What nobody understands, and values that nobody takes."""
        own = self._model_info.get(config.PREFIX)
        given = {} if own is None else own
        yield from _validation_findings(config.Deployment, given, f"model_info.{config.PREFIX}")
        defaults = _mapping(given).get("defaults") if isinstance(given, Mapping) else None
        places = (
            ("litellm_params", configured_defaults({"litellm_params": self._parameters})),
            (_DEFAULTS, _by_name(defaults)),
        )
        for place, values in places:
            for key, value in values.items():
                yield from _default_findings(place, key, value)

    def _key_findings(
        self, provider_name: str, provider: Provider, names: frozenset[str]
    ) -> Iterator[Finding]:
        for place, name in _references(self._parameters, "litellm_params"):
            if name not in names:
                told = f"'{_REFERENCE}{name}': the environment has no {name}; allowed: a name that it has"
                yield Finding(place, told)
        needs_none = provider_name == config.SANDBOX or not provider.key_variables
        has_own = self._parameters.get("api_key") or self._parameters.get("litellm_credential_name")
        if not (needs_none or has_own or names.intersection(provider.key_variables)):
            allowed = f"a key here, or {' or '.join(provider.key_variables)} in the environment"
            yield Finding("litellm_params.api_key", f"there is none; allowed: {allowed}")

    def _model_findings(self, provider: Provider, model_id: str) -> Iterator[Finding]:
        row, _ = _row_of(provider, model_id)
        bare, ending = _without_ending(provider, model_id)
        if provider.renames_models and bare in row.former_ids:
            yield Finding(_MODEL, f"{model_id!r} is a former id; allowed: {row.id}{ending}")
        takes_successor = _mapping(self._model_info.get(config.PREFIX)).get("successor") is True
        if _is_over(row) and not (takes_successor and row.successor):
            allowed = row.successor or "another model"
            yield Finding(_MODEL, f"{model_id!r} is gone since {row.gone}; allowed: {allowed}")

    def _plan_findings(self, provider_name: str) -> Iterator[Finding]:
        """What every request to this deployment would be refused or told, with the defaults as they are."""
        body = {"messages": [{"role": "user", "content": "A picture"}]}
        handed_over = {
            **self._parameters,
            **body,
            "model": f"{config.PREFIX}/{self._model.removeprefix(f'{config.PREFIX}/')}",
            "model_info": self._model_info,
            "proxy_server_request": {"body": body},
        }
        try:
            plan = requests.make_plan(Given.to_hook(handed_over, Route.CHAT))
        except ImagegenError as error:
            yield Finding(_MODEL, f"every request is refused: {error.message}")
            return
        for notice in plan.notices:
            if notice.field == "model":
                continue  # told above, in the operator's own words
            became = "is left out of" if notice.used is None else f"becomes {notice.used} in"
            told = f"{_shown(notice.asked)} {became} every request: {notice.why}"
            yield Finding(self._place_of(notice.field), told)

    def _place_of(self, spelling: str) -> str:
        """Where a default stands."""
        if spelling.startswith("model "):
            return _MODEL
        top = spelling.partition(".")[0].partition("[")[0]
        return f"{'litellm_params' if top in self._parameters else _DEFAULTS}.{spelling}"


def _loaded(path: Path) -> tuple[dict[str, Any], list[Finding]]:
    """The configuration with what it includes: lists are added to, all else is replaced, as in LiteLLM."""
    findings: list[Finding] = []
    whole: dict[str, Any] = {}
    pending, seen = [path], set[Path]()
    while pending:
        current = pending.pop(0)
        if current.resolve() in seen:
            continue
        seen.add(current.resolve())
        place = "file" if current == path else f"include {current}"
        try:
            given = yaml.safe_load(current.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            findings.append(Finding(place, f"cannot be read: {_reason(error)}"))
            continue
        except yaml.YAMLError as error:
            findings.append(Finding(place, f"is not YAML{_line_of(error)}"))
            continue
        if not isinstance(given, Mapping):
            findings.append(Finding(place, "holds no mapping; allowed: a proxy's configuration"))
            continue
        for key, value in given.items():
            if key == "include":
                pending += [current.parent / str(name) for name in _listed(value)]
            elif isinstance(value, list) and isinstance(whole.get(key), list):
                whole[key] = [*whole[key], *value]
            else:
                whole[key] = value
    return whole, findings


def _deployments(given: Mapping[str, Any], *, adopts: bool) -> tuple[list[_Deployment], list[Finding]]:
    """Our deployments, and with `adopts` LiteLLM's own; of those that share a name each has its place too."""
    entries = given.get("model_list")
    if entries is None:
        return [], []
    if not isinstance(entries, list):
        return [], [
            Finding("model_list", f"{_shown(entries)} is not allowed: a list of deployments is needed")
        ]
    names = [str(_mapping(entry).get("model_name")) for entry in entries]
    found = []
    for index, entry in enumerate(entries):
        parts = (_mapping(entry).get(key) for key in ("litellm_params", "model_info"))
        parameters, model_info = map(_by_name, parts)
        model = str(parameters.get("model", ""))
        if config.PREFIX not in (model.partition("/")[0], parameters.get("custom_llm_provider")):
            model = _adopted(parameters, model_info) if adopts else ""
        if model:
            name = names[index] if names.count(names[index]) == 1 else f"{names[index]} (model_list[{index}])"
            found.append(_Deployment(name, entry, model))
    return found, []


def _adopted(parameters: Mapping[str, Any], model_info: Mapping[str, Any]) -> str:
    try:
        return served_model(parameters, model_info) or ""
    except ImagegenError:
        return ""  # what is wrong with the settings is told with them


def _settings_findings(given: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Settings at a wrong place, under a wrong name or with wrong values."""
    for place, holder in (("", given), ("general_settings.", _mapping(given.get("general_settings")))):
        if _SETTINGS in holder:
            yield Finding(
                f"{place}{_SETTINGS}", f"nobody reads it here; allowed: litellm_settings.{_SETTINGS}"
            )
    for key in settings:
        if key != _SETTINGS and difflib.get_close_matches(str(key), [_SETTINGS], cutoff=0.85):
            yield Finding(f"litellm_settings.{key}", f"nobody reads it; allowed: {_SETTINGS}")
    own = settings.get(_SETTINGS)
    found = list(
        _validation_findings(config.Settings, {} if own is None else own, f"litellm_settings.{_SETTINGS}")
    )
    yield from found
    if not found:
        with _in_force(own):
            try:
                config.settings()
            except ImagegenError as error:
                yield Finding(f"litellm_settings.{_SETTINGS}", error.message)


def _registration_findings(settings: Mapping[str, Any]) -> Iterator[Finding]:
    """What LiteLLM would not know of us."""
    callbacks = _listed(settings.get("callbacks"))
    handlers = _listed(settings.get("custom_provider_map"))
    ours = [item for item in handlers if _mapping(item).get("provider") == config.PREFIX]
    if CALLBACK not in callbacks:
        lost = _LOST_WITHOUT_CALLBACK if ours else f"LiteLLM knows nobody for {config.PREFIX}/"
        told = f"{_shown(callbacks)} lacks {CALLBACK!r}: {lost}; allowed: a list with {CALLBACK!r}"
        yield Finding("litellm_settings.callbacks", told)
    for item in handlers:
        provider, handler = (_mapping(item).get(key) for key in ("provider", "custom_handler"))
        if provider == config.PREFIX and handler != HANDLER:
            yield Finding(
                "litellm_settings.custom_provider_map",
                f"{_shown(handler)} is no handler for {config.PREFIX}; allowed: {HANDLER!r}",
            )
        elif handler == HANDLER and provider != config.PREFIX:
            yield Finding(
                "litellm_settings.custom_provider_map",
                f"{_shown(provider)} is no provider for {HANDLER}; allowed: {config.PREFIX!r}",
            )


def _validation_findings(model: type[BaseModel], given: Any, place: str) -> Iterator[Finding]:
    """Every mistake, by its full name. What stands under an unknown name may be a key: it is not shown."""
    try:
        model.model_validate(given)
    except ValidationError as error:
        for mistake in error.errors(include_url=False):
            steps = [str(step) for step in mistake["loc"]]
            field = quote(".".join([place, *steps]))[:_SHOWN_CHARACTERS]
            if mistake["type"] == "extra_forbidden":
                fields = _fields_at(model, steps[:-1])
                told = f"is unknown{_likely(steps[-1], fields)}; allowed: {', '.join(fields)}"
                yield Finding(field, told)
            else:
                yield Finding(field, f"{_shown(mistake['input'])} is not allowed: {quote(mistake['msg'])}")


def _fields_at(model: type[BaseModel], steps: Sequence[str]) -> Sequence[str]:
    """Names of the fields of a model, or of one that is nested in it."""
    for step in steps:
        inner = model.model_fields[step].annotation if step in model.model_fields else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return tuple(model.model_fields)


def _default_findings(place: str, key: str, value: Any) -> Iterator[Finding]:
    """What is wrong with one field that an operator sets for all requests."""
    try:
        for unknown in unknown_defaults({key: value}):
            likely = _likely(unknown.rpartition(".")[2], _LIKELY_PARAMETERS)
            yield Finding(f"{place}.{unknown}", f"nobody understands it{likely}")
    except ImagegenError as error:
        field = getattr(error, "field", None) or key
        yield Finding(f"{place}.{field}", error.message.removeprefix(f"{field}: "))


def _likely(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f", {near[0]} may be meant" if near else ""


def _row_of(provider: Provider, model_id: str) -> tuple[Profile, tuple[str, ...]]:
    """The row that a model is planned by, and all ids that have one."""
    try:
        own = config.own_rows(provider.name)
    except ImagegenError:
        own = ()  # told already
    own = (*own, *provider.rows)
    wire = provider.wire(model_id, own_rows=own)
    rows = rows_of(wire.family, own)
    ids = tuple(f"{wire.prefix}{known}" for row in rows for known in (row.id, *row.former_ids))
    bare, _ = _without_ending(provider, model_id)
    if known_row(wire.family, bare.removeprefix(wire.prefix), own) is not None:
        ids = (*ids, bare)  # of a gateway's model its vendor's row may be known
    return wire.row(bare, own), ids


def _without_ending(provider: Provider, model_id: str) -> tuple[str, str]:
    """The id, and the ending of it that asks for a size, where the provider's ids have one."""
    if not provider.renames_models:
        return model_id, ""
    bare, _ = model_and_ending(ImageRequest(model=model_id, messages=()))
    return bare, model_id[len(bare) :]


def _is_over(row: Profile) -> bool:
    """Whether the day has come on which a model went."""
    return row.gone is not None and row.gone <= date.today().isoformat()


def _names_of_environment(given: Mapping[str, Any]) -> frozenset[str] | None:
    """Names that have a value once the proxy runs; None where a secret manager may have more."""
    if _mapping(given.get("general_settings")).get("key_management_system"):
        return None
    names = {name for name, value in os.environ.items() if value}
    for name, value in _mapping(given.get("environment_variables")).items():
        referred = _referred(value)
        if value is not None and (referred is None or referred in names):
            names.add(str(name))
    return frozenset(names)


def _references(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Each `os.environ/NAME` with its place."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _references(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _references(inner, f"{place}[{index}]")
    elif (name := _referred(value)) is not None:
        yield place, name


def _referred(value: Any) -> str | None:
    is_reference = isinstance(value, str) and value.startswith(_REFERENCE)
    return value.removeprefix(_REFERENCE) if is_reference else None


@contextmanager
def _in_force(settings: Any) -> Iterator[None]:
    """Settings where a proxy would put them, as long as they are looked at; without wrong ones."""
    before = getattr(litellm, _SETTINGS, None)
    given = {} if settings is None else settings
    is_right = not list(_validation_findings(config.Settings, given, _SETTINGS))
    setattr(litellm, _SETTINGS, given if is_right else {})
    try:
        yield
    finally:
        setattr(litellm, _SETTINGS, before)


def _line(path: Path, finding: Finding) -> str:
    places = filter(None, (str(path), finding.deployment, "wrong", finding.field))
    return f"{': '.join(places)}: {finding.told}"


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)


def _line_of(error: yaml.YAMLError) -> str:
    """Where the mistake is. What stands there is not told: it may be a key."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None)
    return (f", line {mark.line + 1}" if mark else "") + (f": {problem}" if problem else "")


def _shown(value: Any) -> str:
    return quote(reprlib.repr(value))[:_SHOWN_CHARACTERS]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _by_name(value: Any) -> dict[str, Any]:
    """An object of the file whose keys are text, as names are."""
    return {str(key): inner for key, inner in _mapping(value).items()}
