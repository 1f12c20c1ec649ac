"""What is known of a model, as plain data: for programs, and for LiteLLM's own information on models."""

from typing import Any

from litellm_imagegen.geometry import as_text
from litellm_imagegen.profiles.profile import Profile


def facts(profile: Profile) -> dict[str, Any]:
    """One model as plain data; None is what nobody knows, or what the model has none of."""
    return {
        "id": profile.id,
        "family": profile.family,
        "former_ids": list(profile.former_ids),
        "gone": profile.gone,
        "successor": profile.successor,
        "aspect_ratios": list(profile.aspect_ratios),
        "ratio_range": list(profile.ratio_range) if profile.ratio_range else None,
        "dimensions": [as_text(dimensions) for dimensions in profile.sizes],
        "pixel_rule": profile.pixel_rule.text() if profile.pixel_rule else None,
        "sizes": list(profile.image_sizes),
        "size_is_fixed": profile.image_size_is_fixed,
        "formats": list(profile.formats),
        "choices": {str(name): list(values) for name, values in sorted(profile.choices.items())},
        "answers_with": [str(modality) for modality in profile.output],
        "pictures_a_call": profile.pictures_a_call,
        "reference_pictures": profile.maximum_reference_images,
        "price": None if profile.price is None else profile.price.model_dump(mode="json"),
        "fields": sorted(str(name) for name in profile.names),
    }
