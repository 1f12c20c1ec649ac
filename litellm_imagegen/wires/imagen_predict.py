"""Google's Imagen: one `:predict` call, on the Gemini API and on Vertex AI.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api. The public models
were shut down on 2026-08-17; what is sent is what the wire says.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote as quote_path

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    Delta,
    EndDelta,
    Finish,
    ImageInput,
    Name,
    Picture,
    PictureDelta,
    merged,
)
from litellm_imagegen.codec import Call, Codec, Reply
from litellm_imagegen.conversion import white_where_transparent
from litellm_imagegen.errors import BadReply, InvalidParameter, ProviderError, quote
from litellm_imagegen.lifting import LiftedJson
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.errors import error_object, parsed_object, whole
from litellm_imagegen.wires.google_errors import error_of, error_of_reply

_PARAMETERS: Mapping[Name, str] = {
    Name.N: "sampleCount",
    Name.ASPECT_RATIO: "aspectRatio",
    Name.IMAGE_SIZE: "sampleImageSize",
    Name.GUIDANCE: "guidanceScale",
    Name.PERSON_GENERATION: "personGeneration",
}
_VERTEX_PARAMETERS: Mapping[Name, str] = {
    Name.SEED: "seed",
    Name.NEGATIVE_PROMPT: "negativePrompt",
    Name.WATERMARK: "addWatermark",
    Name.PROMPT_UPSAMPLING: "enhancePrompt",
}
_ONLY_ON_VERTEX = frozenset({*_VERTEX_PARAMETERS.values(), "safetyFilterLevel", "labels"})
_OUTPUT = frozenset({Name.OUTPUT_FORMAT, Name.OUTPUT_COMPRESSION})
_FACTS = ("deployedModelId", "modelVersionId", "modelDisplayName")
# A reply has at least one of these, or nothing; anything else is not its reply.
_REPLY_KEYS = frozenset({"predictions", "metadata", "model", *_FACTS})
_REFUSING_WORDS = ("responsible ai", "sensitive word", "usage guidelines", "prompt could not be submitted")


class ImagenPredictCodec(Codec):
    """The codec. Vertex AI takes more parameters than the Gemini API, and alone edits pictures."""

    vendor = "google"

    def __init__(self, *, is_vertex: bool = False) -> None:
        self._parameters = {**_PARAMETERS, **(_VERTEX_PARAMETERS if is_vertex else {})}
        edited = {Name.MASK} if is_vertex else set()
        self.refused_options = frozenset() if is_vertex else _ONLY_ON_VERTEX
        self.vocabulary = frozenset({*self._parameters, *_OUTPUT, *edited, Name.PROVIDER_OPTIONS})

    def encode(self, plan: Plan) -> Call:
        """`POST models/{model}:predict`. What is filtered is told, picture by picture."""
        values = plan.values
        parameters = {wire: values[name] for name, wire in self._parameters.items() if name in values}
        parameters.setdefault("sampleCount", 1)  # the wire's own default is four
        if output := _output_options(values):
            parameters["outputOptions"] = output
        parameters["includeRaiReason"] = True
        instance: dict[str, Any] = {"prompt": plan.prompt}
        if plan.references:
            instance["referenceImages"] = list(_references(plan))
            parameters["editMode"] = (
                "EDIT_MODE_INPAINT_INSERTION" if Name.MASK in values else "EDIT_MODE_DEFAULT"
            )
        options = dict(values.get(Name.PROVIDER_OPTIONS, {}))
        return Call(
            path=f"models/{quote_path(plan.model, safe='')}:predict",
            body={"instances": [instance], "parameters": merged(parameters, options)},
        )

    def decode(self, plan: Plan, reply: Reply) -> Sequence[Delta]:
        """Pictures in order, then why others are missing."""
        parsed = parsed_object(plan, reply.body)
        said = parsed.value
        if said.get("error"):
            raise error_of(plan, None, {}, said)
        if said and not _REPLY_KEYS & said.keys():
            raise BadReply(plan.provider, "a reply of an unknown shape")
        given = said.get("predictions")
        predictions = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        pictures = list(_pictures(plan, parsed, predictions))
        given = [one["raiFilteredReason"] for one in predictions if one.get("raiFilteredReason")]
        reasons = whole(plan, parsed, given)
        facts = whole(plan, parsed, {key: said[key] for key in _FACTS if said.get(key)})
        if reasons:
            facts["raiFilteredReasons"] = reasons
        # Where everything is filtered and no reason given, nothing comes back at all.
        is_refused = bool(reasons) or not pictures
        refusal = None
        if is_refused:
            why = ", ".join(dict.fromkeys(map(str, reasons))) or "filtered, without a reason"
            refusal = quote(f"{plan.provider} refused the picture: {why}")
        finish = Finish.REFUSED if refusal else Finish.STOP
        return (*pictures, EndDelta(finish=finish, refusal=refusal, facts=facts))

    def decode_error(self, plan: Plan, reply: Reply) -> ProviderError | EndDelta:
        """Google's error. A refused prompt comes as a bad request, known by its words."""
        error = error_object(reply).get("error")
        message = str(error.get("message")) if isinstance(error, Mapping) else ""
        if reply.status == 400 and any(words in message.lower() for words in _REFUSING_WORDS):
            refusal = quote(f"{plan.provider} refused the prompt: {message}")
            return EndDelta(finish=Finish.REFUSED, refusal=refusal)
        return error_of_reply(plan, reply)


def _output_options(values: Mapping[Name, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if form := values.get(Name.OUTPUT_FORMAT):
        options["mimeType"] = f"image/{form}"
    if Name.OUTPUT_COMPRESSION in values:
        options["compressionQuality"] = values[Name.OUTPUT_COMPRESSION]
    return options


def _references(plan: Plan) -> Iterable[dict[str, Any]]:
    """Pictures to draw by, numbered from 1, and the mask behind them."""
    for number, picture in enumerate(plan.references, 1):
        yield {
            "referenceType": "REFERENCE_TYPE_RAW",
            "referenceId": number,
            "referenceImage": _image(picture),
        }
    mask = plan.values.get(Name.MASK)
    if mask is not None:
        yield {
            "referenceType": "REFERENCE_TYPE_MASK",
            "referenceId": len(plan.references) + 1,
            "referenceImage": _mask(mask),
            "maskImageConfig": {"maskMode": "MASK_MODE_USER_PROVIDED"},
        }


def _image(picture: ImageInput) -> dict[str, Any]:
    assert picture.blob is not None, "the engine fetches what is at an address"
    return {"bytesBase64Encoded": str(picture.blob.base64, "ascii"), "mimeType": picture.blob.mime}


def _mask(mask: ImageInput) -> dict[str, Any]:
    """White where an edit may paint: ours is transparent there. Raises `InvalidParameter`."""
    assert mask.blob is not None, "the engine fetches what is at an address"
    try:
        white = white_where_transparent(mask.blob)
    except ValueError as error:
        raise InvalidParameter(
            mask.spelling, str(error), "a picture that is transparent in places"
        ) from error
    return {"bytesBase64Encoded": str(white.base64, "ascii"), "mimeType": white.mime}


def _pictures(plan: Plan, parsed: LiftedJson, predictions: Iterable[Mapping[str, Any]]) -> Iterable[Delta]:
    for prediction in predictions:
        data, mime, prompt = (prediction.get(key) for key in ("bytesBase64Encoded", "mimeType", "prompt"))
        if not isinstance(data, str) or not data:
            continue
        blob = Blob.from_base64(parsed.base64(data) or "!", mime if isinstance(mime, str) else None)
        revised = whole(plan, parsed, prompt) if isinstance(prompt, str) and prompt else None
        yield PictureDelta(picture=Picture(blob=blob, revised_prompt=revised))
