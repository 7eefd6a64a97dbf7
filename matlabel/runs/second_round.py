"""Second rounds: variants whose activations are read with the segmenter of another variant."""

from collections.abc import Mapping

from matlabel.artifacts.errors import UserError, did_you_mean
from matlabel.settings.config import StageSettings


def earlier_round(settings: StageSettings) -> str | None:
    """The variant whose segmenter a variant reads; None in a first round, or with labels from true masks."""
    if settings.labels.source != "mattes" or settings.activations.kind != "segmenter":
        return None
    return settings.activations.named


def in_rounds(variants: Mapping[str, StageSettings]) -> list[str]:
    """Topological order of the variants: the config's order, but each after the one that it reads.

    Raises:
        UserError: a variant reads one that is not there, that trains no segmenter, or that leads back to itself.
    """
    ordered: list[str] = []
    for variant in variants:
        chain = [variant]
        while (earlier := earlier_round(variants[chain[-1]])) is not None:
            _check(chain[-1], earlier, variants)
            if earlier in chain:
                raise UserError(_cycle([*chain[chain.index(earlier) :], earlier]))
            chain.append(earlier)
        ordered += [name for name in reversed(chain) if name not in ordered]
    return ordered


def _check(variant: str, earlier: str, variants: Mapping[str, StageSettings]) -> None:
    where = f"config: variant {variant}: activations.source"
    if not earlier:
        raise UserError(f"{where}: segmenter names no variant; write segmenter:<variant>")
    if earlier not in variants:
        hint = did_you_mean(earlier, list(variants)) or f"; the variants are {', '.join(variants)}"
        raise UserError(f"{where}: there is no variant {earlier}{hint}")
    if not variants[earlier].segmenter.train:
        raise UserError(f"{where}: variant {earlier} trains no segmenter; set its segmenter.train: true")


def _cycle(chain: list[str]) -> str:
    where = f"config: variant {chain[0]}: activations.source"
    if len(chain) == 2:
        return f"{where}: segmenter:{chain[0]} names the variant itself; name another, the round before"
    return f"{where}: {' reads '.join(chain)}, a circle; one of them has to begin with cam or files:<folder>"
