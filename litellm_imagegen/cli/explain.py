"""What would be sent for a request and why, field by field. Nothing is sent.

What becomes of a wish is found out by planning once more without it: where the two calls differ, there it
went. So this needs no knowledge of models and wires, and cannot disagree with them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

import orjson
import yarl

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    Asked,
    ImageInput,
    ImageRequest,
    Limits,
    Name,
    Notice,
    NoticeCode,
    Origin,
    Policy,
    Preferences,
    Unread,
)
from litellm_imagegen.cli.models import status
from litellm_imagegen.codec import Call, FormFile
from litellm_imagegen.dialects import unknown_defaults
from litellm_imagegen.errors import ImagegenError, quote
from litellm_imagegen.geometry import as_text
from litellm_imagegen.plan import Plan, make_plan
from litellm_imagegen.plan.wishes import SHAPE, belongs_to_operators, model_and_ending
from litellm_imagegen.plugin import config, requests
from litellm_imagegen.plugin.given import Given, Route, configured_defaults
from litellm_imagegen.plugin.redaction import redacted
from litellm_imagegen.plugin.requests import PARSERS
from litellm_imagegen.profiles import rows_of
from litellm_imagegen.providers import Provider, Via

_PLACEHOLDER = "(a placeholder: the request has no messages)"
_NO_ADDRESS = "https://api-base.invalid"
_NO_NAME = "nothing here has such a name"


class Became(StrEnum):
    """What became of a wish."""

    SENT = "sent"
    ADAPTED = "adapted"
    CONVERTED = "converted"
    REPEATED = "repeated"
    GRANTED = "granted"
    OVERRULED = "overruled"
    LEFT_OUT = "left_out"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Explained:
    """One thing that was asked for; `sent` holds places in the call with their values."""

    asked: Asked
    became: Became
    sent: Mapping[str, Any]
    why: str | None = None
    used: Any = None

    def facts(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "spelling": self.asked.spelling,
            "value": _plain(self.asked),
            "name": str(self.asked.name),
            "origin": str(self.asked.origin),
            "vendor": self.asked.vendor,
            "became": str(self.became),
            "used": self.used,
            "sent": [{"place": place, "value": value} for place, value in self.sent.items()],
            "why": self.why,
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        whose = {
            Origin.CLIENT: "",
            Origin.OPERATOR: ", a default of the operator's",
            Origin.MODEL_NAME: ", from the model's name",
        }[self.asked.origin]
        yield f"{self.asked.spelling} = {_json(_plain(self.asked))} ({self.asked.name}{whose})"
        why = f": {self.why}" if self.why else ""
        match self.became:
            case Became.ADAPTED:
                yield f"  adapted to {_json(self.used)}{why}"
            case Became.SENT if why:
                yield f"  in part left out{why}"
            case Became.SENT | Became.UNDECIDED:
                pass
            case _:
                yield f"  {str(self.became).replace('_', ' ')}{why}"
        for place, value in self.sent.items():
            yield f"  sent as {place} = {_json(value)}"


@dataclass(frozen=True)
class Explanation:
    """All that can be said of one request. With an `error` there is no plan and nothing would be sent."""

    model: str
    about_model: str
    policy: Policy
    provider: str | None = None
    taken_by_litellm: tuple[str, ...] = ()
    has_placeholder: bool = False
    fields: tuple[Explained, ...] = ()
    unread: tuple[Unread, ...] = ()
    unread_defaults: tuple[str, ...] = ()
    plan: Plan | None = None
    calls: tuple[dict[str, Any], ...] = ()
    error: ImagegenError | None = None

    def facts(self) -> dict[str, Any]:
        """As plain data, what `--json` prints."""
        plan, error = self.plan, self.error
        return {
            "model": self.model,
            "provider": self.provider,
            "about_model": self.about_model,
            "policy": str(self.policy),
            "fields": [field.facts() for field in self.fields],
            "unread": [
                *({"spelling": field.spelling, "value": _unread(field)} for field in self.unread),
                *({"spelling": spelling, "value": None} for spelling in self.unread_defaults),
            ],
            "taken_by_litellm": list(self.taken_by_litellm),
            "notices": [notice.model_dump(mode="json") for notice in plan.notices] if plan else [],
            "pictures_by_call": list(plan.counts) if plan else [],
            "conversion": plan.conversion.model_dump(mode="json") if plan and plan.conversion else None,
            "deadline_seconds": plan.deadline_seconds if plan else None,
            "calls": list(self.calls),
            "error": None
            if error is None
            else {
                "status": error.status,
                "code": error.code,
                "message": error.message,
                "field": getattr(error, "field", None),
            },
        }

    def text(self) -> str:
        """For people, what the command prints."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        by = f" by {self.provider}" if self.provider else ""
        yield f"{self.model}{by}: {self.about_model}; policy {self.policy}"
        yield from _section("asked for", (line for field in self.fields for line in field.lines()))
        unread = [
            *(f"{field.spelling} = {_json(_unread(field))}" for field in self.unread),
            *(f"{spelling}, a default of the operator's" for spelling in self.unread_defaults),
        ]
        yield from _section("understood by nobody, and left out", unread)
        yield from _section("taken by LiteLLM itself", self.taken_by_litellm)
        if self.error is not None:
            yield ""
            yield f"refused with {self.error.status} {self.error.code}: {self.error.message}"
        if self.plan is not None:
            yield from self._plan_lines(self.plan)

    def _plan_lines(self, plan: Plan) -> Iterator[str]:
        yield from _section("notices in the answer", map(_notice_text, plan.notices))
        yield ""
        yield f"pictures: {_counts_text(plan.counts)}"
        yield f"conversion: {_conversion_text(plan)}"
        yield f"deadline: {plan.deadline_seconds:g} s"
        if self.has_placeholder:
            yield "the request has no messages: a placeholder stands in the call"
        yield from self._call_lines()

    def _call_lines(self) -> Iterator[str]:
        """Calls in a row that are alike are told once."""
        for call, alike in groupby(self.calls):
            times = len(list(alike))
            yield ""
            yield f"{call['method']} {call['url']}" + (f" ({times} times)" if times > 1 else "")
            if call["body"] is not None:
                yield orjson.dumps(call["body"], option=orjson.OPT_INDENT_2, default=repr).decode()


def explain(
    *, model: str, body: Mapping[str, Any], defaults: Mapping[str, Any], policy: Policy
) -> Explanation:
    """What would become of a request to `model`, which is `[imagegen/]<provider>/<model>`.

    `body` is the client's, of the Images API where it has a `prompt`, of the Responses API where it has an
    `input`, else of chat; `defaults` are the operator's. What would be refused is told in
    `Explanation.error`. Raises nothing.
    """
    try:
        name, provider, model_id = config.upstream_of(model)
    except ImagegenError as error:
        return Explanation(model=model, about_model="no model of a provider here", policy=policy, error=error)
    route = _route(body)
    placeholder = {"messages": [{"role": "user", "content": _PLACEHOLDER}]} if route is Route.CHAT else {}
    whole = {**placeholder, **body}
    whole.pop("previous_response_id", None)  # only the process that gave it out knows what it stands for
    read = configured_defaults({"litellm_params": whole})  # without what LiteLLM acts on itself
    begun = Explanation(
        model=model_id,
        about_model=_about(provider, model_id),
        policy=policy,
        provider=name,
        taken_by_litellm=tuple(key for key in body if key not in read and key != config.PREFIX),
        has_placeholder=bool(placeholder) and "messages" not in body,
    )
    handed_over = {
        **whole,
        "model": f"{config.PREFIX}/{model.removeprefix(f'{config.PREFIX}/')}",
        "model_info": {config.PREFIX: {"policy": policy, "defaults": dict(defaults)}},
        "proxy_server_request": {"body": whole},
    }
    return _Explainer(begun, provider, _without_choices(read), defaults, route).explanation(handed_over)


def _route(body: Mapping[str, Any]) -> Route:
    """The endpoint that a body is meant for, by the field that holds what to draw."""
    fields = {"messages": Route.CHAT, "prompt": Route.GENERATIONS, "input": Route.RESPONSES}
    return next((route for field, route in fields.items() if field in body), Route.CHAT)


class _Explainer:
    """Plans a request, and plans it again without each of its wishes."""

    def __init__(
        self,
        begun: Explanation,
        provider: Provider,
        body: Mapping[str, Any],
        defaults: Mapping[str, Any],
        route: Route,
    ) -> None:
        self._begun = begun
        self._name = begun.provider or provider.name
        self._provider = provider
        self._body = body
        self._defaults = defaults
        self._route = route

    def explanation(self, handed_over: Mapping[str, Any]) -> Explanation:
        """The whole of it, as far as it goes. `handed_over` is what LiteLLM would give to the plugin."""
        told: dict[str, Any] = {}
        try:
            request = PARSERS[self._route](model=self._begun.model, body=self._body, defaults=self._defaults)
            wishes = self._wishes(request)
            told["policy"] = _policy(self._begun.policy, handed_over)
            told["unread"] = request.unread
            told["unread_defaults"] = tuple(unknown_defaults(self._defaults))
            told["fields"] = tuple(Explained(wish, Became.UNDECIDED, {}) for wish in wishes)
            plan = requests.make_plan(Given.to_hook(handed_over, self._route))
        except ImagegenError as error:
            return self._with(told, error=error)
        told["fields"] = tuple(self._explained(wish, wishes, request, plan) for wish in wishes)
        calls = tuple(self._call_facts(self._encoded(call), plan) for call in plan.calls)
        return self._with(told, plan=plan, model=plan.model, calls=calls)

    def _with(self, told: Mapping[str, Any], **more: Any) -> Explanation:
        return Explanation(**{**self._begun.__dict__, **told, **more})

    def _wishes(self, request: ImageRequest) -> tuple[Asked, ...]:
        """All wishes, with that of the model's name."""
        return (*request.asked, *(model_and_ending(request)[1] if self._provider.renames_models else ()))

    def _explained(
        self, wish: Asked, wishes: Sequence[Asked], request: ImageRequest, plan: Plan
    ) -> Explained:
        notices = [notice for notice in plan.notices if _is_about(notice, wish)]
        whole = [notice for notice in notices if not _is_in_part(notice, wish)]
        if (stronger := _overruling(wish, wishes)) is not None:
            return Explained(wish, Became.OVERRULED, {}, f"{stronger.spelling} goes before it")
        if left_out := [notice for notice in whole if notice.code is NoticeCode.UNSUPPORTED]:
            return Explained(wish, Became.LEFT_OUT, {}, left_out[0].why, left_out[0].used)
        without = self._planned(_without(request, wish))
        sent = _redacted_places(self._places(plan, without), plan)
        if adapted := [notice for notice in whole if notice.code is NoticeCode.ADAPTED]:
            return Explained(wish, Became.ADAPTED, sent, adapted[0].why, adapted[0].used)
        if sent:
            return Explained(wish, Became.SENT, sent, _parts_text(notices) or None)
        if notices:
            return Explained(wish, Became.LEFT_OUT, {}, _parts_text(notices))
        if plan.conversion != without.conversion:
            return Explained(wish, Became.CONVERTED, {}, _conversion_text(plan))
        if plan.counts != without.counts:
            return Explained(wish, Became.REPEATED, {}, _counts_text(plan.counts))
        if wish.origin is Origin.OPERATOR and self._would_count_alone(wish, wishes, request):
            return Explained(wish, Became.OVERRULED, {}, "what the client asks for goes before it")
        if wish.name in SHAPE and (said := self._said_by_others_too(wish, request, plan)):
            return Explained(wish, Became.SENT, _redacted_places(said, plan))
        return Explained(wish, Became.GRANTED, {}, "the call would be the same without it")

    def _said_by_others_too(self, wish: Asked, request: ImageRequest, plan: Plan) -> dict[str, Any]:
        """Places that a wish for the shape fills in the call, where others fill them in the same way."""
        asked = tuple(other for other in request.asked if other.name not in SHAPE)
        model = model_and_ending(request)[0] if self._provider.renames_models else request.model
        shapeless = request.model_copy(update={"asked": asked, "model": model})
        alone = shapeless.model_copy(update={"asked": (*shapeless.asked, wish)})
        full = dict(_leaves(self._encoded(plan.calls[0])))
        places = self._places(self._planned(alone), self._planned(shapeless))
        return {place: value for place, value in places.items() if full.get(place, _NO_NAME) == value}

    def _would_count_alone(self, wish: Asked, wishes: Sequence[Asked], request: ImageRequest) -> bool:
        """Whether an operator's wish would change the call if the client asked for nothing."""
        operators = tuple(other for other in wishes if other.origin is Origin.OPERATOR)
        alone = request.model_copy(update={"asked": operators})
        with_it, without = self._planned(alone), self._planned(_without(alone, wish))
        return bool(self._places(with_it, without)) or (with_it.conversion, with_it.counts) != (
            without.conversion,
            without.counts,
        )

    def _planned(self, request: ImageRequest) -> Plan:
        """The plan for a part of what was asked for. One that adapts: no part is an error of its own then."""
        wire = self._provider.wire(request.model, request.surface, self._provider.rows)
        return make_plan(
            request,
            self._provider.target(wire, self._name),
            preferences=Preferences(policy=Policy.ADAPT),
            limits=Limits(),
            own_rows=self._provider.rows,
        )

    def _places(self, plan: Plan, without: Plan) -> dict[str, Any]:
        """Places of the call whose values would be others, or none."""
        full, reduced = (dict(_leaves(self._encoded(each.calls[0]))) for each in (plan, without))
        return {place: value for place, value in full.items() if reduced.get(place, _NO_NAME) != value}

    def _encoded(self, plan: Plan) -> Call:
        return self._provider.wire_named(plan.wire).codec.encode(plan)

    def _call_facts(self, call: Call, plan: Plan) -> dict[str, Any]:
        body = _form_facts(call) if call.form is not None else call.body and _redacted(call.body, plan)
        if self._provider.via is Via.LITELLM:
            return {"method": "call", "url": f"litellm.{call.path}", "body": body}
        return {"method": call.method, "url": self._url(call, plan.wire), "body": body}

    def _url(self, call: Call, wire: str) -> str:
        address = self._provider.base_url or _NO_ADDRESS
        base = yarl.URL(self._provider.wire_named(wire).address(address))
        if self._name == config.SANDBOX:  # its port is chosen when it is first called
            base = base.with_scheme("http").with_host(config.SANDBOX)
        path = base.raw_path.rstrip("/") + "/" + call.path.lstrip("/")
        return str(base.with_path(path, encoded=True).with_query(dict(call.query) or None))


def _about(provider: Provider, model_id: str) -> str:
    """What is known of a model, in a few words."""
    bare = model_id
    if provider.renames_models:
        bare, _ = model_and_ending(ImageRequest(model=model_id, messages=()))
    wire = provider.wire(bare)
    row, own = wire.row(bare, provider.rows), bare.removeprefix(wire.prefix)
    if any(own in (known.id, *known.former_ids) for known in rows_of(wire.family, provider.rows)):
        return "; ".join(filter(None, (f"a model of the family {row.family}", status(row))))
    return f"no row here has this id, it is planned for as one of the family {row.family}"


def _policy(operators: Policy, body: Mapping[str, Any]) -> Policy:
    """The policy in force: the request may choose another one than the operator. Raises `RequestError`."""
    extra = body.get("extra_body")
    choices = [
        (f"{place}{config.PREFIX}", holder[config.PREFIX])
        for place, holder in (("", body), ("extra_body.", extra if isinstance(extra, Mapping) else {}))
        if holder.get(config.PREFIX) is not None
    ]
    operator = (config.Choices(policy=operators),)
    return config.preferences(operator=operator, client=choices, locked=frozenset())[0].policy


def _without_choices(body: Mapping[str, Any]) -> dict[str, Any]:
    """Without what stands in `extra_body` and is said to the plugin, not to the model."""
    extra = body.get("extra_body")
    if not isinstance(extra, Mapping):
        return dict(body)
    return {**body, "extra_body": {key: value for key, value in extra.items() if key != config.PREFIX}}


def _without(request: ImageRequest, wish: Asked) -> ImageRequest:
    """The request without this wish and others of its name; of provider options without this one alone."""
    is_one_of_many = wish.name is Name.PROVIDER_OPTIONS
    asked = tuple(
        other
        for other in request.asked
        if (other is not wish if is_one_of_many else other.name is not wish.name)
    )
    update: dict[str, Any] = {"asked": asked}
    if wish.origin is Origin.MODEL_NAME:
        update["model"] = model_and_ending(request)[0]
    return request.model_copy(update=update)


def _overruling(wish: Asked, wishes: Sequence[Asked]) -> Asked | None:
    """The wish of the same name that counts in the place of an operator's one."""
    if wish.origin is not Origin.OPERATOR or wish.name is Name.PROVIDER_OPTIONS:
        return None
    rivals = [other for other in wishes if other.name is wish.name]
    clients = [other for other in rivals if other.origin is not Origin.OPERATOR]
    last = (clients or rivals)[-1]
    return None if last is wish else last


def _is_about(notice: Notice, wish: Asked) -> bool:
    shown = quote(wish.spelling)
    if notice.field.endswith("…"):
        return shown.startswith(notice.field[:-1])
    return shown in notice.field.split(", ") or _is_in_part(notice, wish)


def _is_in_part(notice: Notice, wish: Asked) -> bool:
    """Whether a notice is about one key of an object that was asked for: it stands in brackets then."""
    place, key = _place_and_key(notice)
    return place == quote(wish.spelling) and _has_key(wish.value, key)


def _place_and_key(notice: Notice) -> tuple[str, str]:
    place, _, key = notice.field.removesuffix(")").rpartition(" (")
    return place, key


def _parts_text(notices: Iterable[Notice]) -> str:
    return "; ".join(f"{_place_and_key(notice)[1]}: {notice.why}" for notice in notices)


def _has_key(value: Any, key: str) -> bool:
    return isinstance(value, Mapping) and (key in value or any(_has_key(v, key) for v in value.values()))


def _leaves(call: Call) -> Iterator[tuple[str, Any]]:
    yield "the path", call.path
    for name, value in call.query.items():
        yield f"the query's {name}", value
    yield from _leaves_of("", call.body or {})
    for name, field in call.form or ():
        yield f"the form's {name}", field


def _leaves_of(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Each value of an object or of a list of objects, with its place."""
    if isinstance(value, Mapping) and (value or not place):
        for key, inner in value.items():
            yield from _leaves_of(f"{place}.{key}" if place else str(key), inner)
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for index, inner in enumerate(value):
            yield from _leaves_of(f"{place}[{index}]", inner)
    else:
        yield place, value


def _form_facts(call: Call) -> list[dict[str, Any]]:
    """A form's fields in order, with a file's facts in the place of its bytes."""
    return [
        {name: _facts_text(Blob.from_raw(value.content)) if isinstance(value, FormFile) else value}
        for name, value in call.form or ()
    ]


def _redacted_places(places: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    return {place: _redacted(value, plan) for place, value in places.items()}


def _redacted(value: Any, plan: Plan) -> Any:
    """A copy with the facts of a picture wherever its bytes would stand."""
    blobs = [
        part.blob
        for message in plan.messages
        for part in message.parts
        if isinstance(part, ImageInput) and part.blob is not None
    ]
    known = {blob.base64.decode("ascii"): _facts_text(blob) for blob in blobs}
    known |= {blob.data_url: blob.data_url_head + _facts_text(blob) for blob in blobs}
    return redacted(_replaced(value, known))


def _replaced(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return known.get(value, value)
    if isinstance(value, Mapping):
        return {key: _replaced(inner, known) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(inner, known) for inner in value]
    return value


def _facts_text(blob: Blob) -> str:
    facts = blob.facts
    pixels = f"{facts['width']}x{facts['height']}" if facts["width"] and facts["height"] else "unknown pixels"
    return f"<{facts['mime']}, {pixels}, {facts['bytes']} bytes, sha256 {facts['sha256'][:12]}...>"


def _plain(asked: Asked) -> Any:
    """What was asked for, without bytes of pictures and without what belongs to operators: keys, for one."""
    return as_text(asked.value) if asked.name is Name.DIMENSIONS else _shown(asked.value)


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: "[...]" if belongs_to_operators(key) else _shown(inner) for key, inner in value.items()}
    return [_shown(inner) for inner in value] if isinstance(value, list | tuple) else redacted(value)


def _unread(field: Unread) -> Any:
    return "[...]" if belongs_to_operators(field.spelling) else _shown(field.value)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=repr).decode()


def _section(heading: str, lines: Iterable[str]) -> Iterator[str]:
    """Indented lines under a heading, nothing where there are none."""
    if told := list(lines):
        yield from ("", f"{heading}:", *(f"  {line}" for line in told))


def _notice_text(notice: Notice) -> str:
    used = "" if notice.used is None else f" -> {_json(notice.used)}"
    return f"{notice.field} = {_json(notice.asked)}{used} ({notice.code}): {notice.why}"


def _counts_text(counts: Sequence[int]) -> str:
    calls = "1 call" if len(counts) == 1 else f"{len(counts)} calls"
    return f"{sum(counts)} in {calls}" + (
        f" of {', '.join(map(str, counts))}" if len(counts) > 1 and set(counts) != {1} else ""
    )


def _conversion_text(plan: Plan) -> str:
    conversion = plan.conversion
    if conversion is None:
        return "none, pictures are passed on as they come"
    quality = "" if conversion.quality is None else f" of quality {conversion.quality}"
    return f"to {conversion.format}{quality}, when the picture is there"
