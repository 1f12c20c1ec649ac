"""What all tests share. Nothing here reaches beyond loopback: LiteLLM's own look-ups are switched off."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
