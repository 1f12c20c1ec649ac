"""What gateways' copies of the Images API answer: pictures in OpenAI's shape, errors in a gateway's."""

from collections.abc import Sequence

from litellm_imagegen.canonical import Delta, EndDelta, RemotePicture
from litellm_imagegen.codec import Codec, Reply
from litellm_imagegen.errors import ProviderError
from litellm_imagegen.plan import Plan
from litellm_imagegen.wires.errors import parsed_object
from litellm_imagegen.wires.gateway_errors import outcome_inside, outcome_of_reply
from litellm_imagegen.wires.images_reply import pictures_and_end


class GatewayImagesCodec(Codec):
    """Reads whole replies."""

    def decode(self, plan: Plan, reply: Reply) -> Sequence[Delta | RemotePicture]:
        """Pictures in order, then what they cost."""
        parsed = parsed_object(plan, reply.body)
        if parsed.value.get("error"):
            return (outcome_inside(plan, parsed.value, reply.body.text),)
        return pictures_and_end(plan, parsed, parsed.value.get("data"))

    def decode_error(self, plan: Plan, reply: Reply) -> ProviderError | EndDelta:
        """The gateway's error object. A refusal is no error: the answer is that there is no picture."""
        return outcome_of_reply(plan, reply)
