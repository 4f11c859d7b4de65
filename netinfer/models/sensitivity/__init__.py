"""Under which other choices the edges of a network survive: other normalizations, samples and lists of regulators."""

from netinfer.models.sensitivity.card import Sensitivity, compare
from netinfer.models.sensitivity.files import read_fits, write_fits
from netinfer.models.sensitivity.fits import (
    VariantFit,
    fit_variant,
    fit_variants,
    in_order,
    sensitivity,
    variant_settings,
)
from netinfer.models.sensitivity.variants import Variant, check_variants, configured_variants, list_variants

__all__ = [
    "Sensitivity",
    "Variant",
    "VariantFit",
    "check_variants",
    "compare",
    "configured_variants",
    "fit_variant",
    "fit_variants",
    "in_order",
    "list_variants",
    "read_fits",
    "sensitivity",
    "variant_settings",
    "write_fits",
]
