"""Genes for a trait of the samples: one target regressed on all genes, with stability selection."""

from netinfer.models.phenotype.configured import select_configured
from netinfer.models.phenotype.model import PhenotypeModel, with_phenotype
from netinfer.models.phenotype.select import select_genes
from netinfer.models.phenotype.trait import check_phenotype, check_trait

__all__ = ["PhenotypeModel", "check_phenotype", "check_trait", "select_configured", "select_genes", "with_phenotype"]
