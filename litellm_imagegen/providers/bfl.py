"""Black Forest Labs. Source: https://docs.bfl.ai/api_integration/integration_guidelines."""

from litellm_imagegen.profiles import flux
from litellm_imagegen.providers.provider import Provider, Wire
from litellm_imagegen.wires.bfl import BflCodec

PROVIDER = Provider(
    name="bfl",
    base_url="https://api.bfl.ai",
    key_variables=("BFL_API_KEY", "BLACK_FOREST_LABS_API_KEY"),
    authenticate=lambda shown: {"x-key": shown.key},
    wires=(Wire(name="jobs", codec=BflCodec(), family=flux.FAMILY),),
    hosts=("*.bfl.ai",),
    picture_hosts=("*.bfl.ai",),
)
