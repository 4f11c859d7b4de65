"""Under which other choices the edges of a network survive: other normalizations, samples and lists of regulators."""

from netinfer.models.sensitivity.card import Sensitivity, compare
from netinfer.models.sensitivity.fits import VariantFit, fit_variant, read_fits, sensitivity, write_fits
from netinfer.models.sensitivity.variants import Variant, check_variants, list_variants

__all__ = [
    "Sensitivity",
    "Variant",
    "VariantFit",
    "check_variants",
    "compare",
    "fit_variant",
    "list_variants",
    "read_fits",
    "sensitivity",
    "write_fits",
]
