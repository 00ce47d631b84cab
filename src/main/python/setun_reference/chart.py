"""Draws measured perplexities: what each part of the architecture costs or brings, and what leaving activations out costs.

    python -m setun_reference.chart comparison.json --output comparison.svg

The input holds what `setun perplexity --json` printed: {"variants": {name: score}, "variant_shares": {share: name},
"shares": {share: score}}, where a share is that of the activations kept.
"""
import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "setun", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9})

import matplotlib.pyplot as plt  # noqa: E402  (the settings come first)

TRAINED, SHIPPED = "#1b6ca8", "#c8553d"


def draw_variants(axes, variants):
    """Draws one dot for each variant, the best at the top, with its value."""
    rows = sorted(variants.items(), key=lambda item: item[1]["bits_per_byte"], reverse=True)
    values = [score["bits_per_byte"] for _, score in rows]
    axes.hlines(range(len(rows)), min(values), values, color=TRAINED, linewidth=1, alpha=0.4)
    axes.plot(values, range(len(rows)), "o", color=TRAINED)
    for row, value in enumerate(values):
        axes.annotate(f"{value:.3f}", (value, row), xytext=(7, -3), textcoords="offset points")
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_xlabel("bits a byte")
    axes.margins(x=0.2, y=0.12)
    axes.set_title("Trained alike, one part exchanged", loc="left", fontsize=9.5)


def draw_shares(axes, curve, label, color):
    """Draws bits a byte over the share of activations kept, relative to keeping all."""
    shares = sorted(float(share) for share in curve)
    values = {float(share): score["bits_per_byte"] for share, score in curve.items()}
    above = [100 * (values[share] / values[1.0] - 1) for share in shares]
    axes.plot([100 * share for share in shares], above, "o-", color=color, label=label)


def main():
    parser = argparse.ArgumentParser(description="Draw measured perplexities.")
    parser.add_argument("comparison", help="JSON file with the scores")
    parser.add_argument("--output", required=True, help="SVG file to write")
    args = parser.parse_args()
    comparison = json.loads(Path(args.comparison).read_text(encoding="utf-8"))
    variants = comparison["variants"]

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", width_ratios=[1, 1.2])
    draw_variants(left, variants)
    draw_shares(right, comparison["shares"], "the shipped model, run at it", SHIPPED)
    trained = {share: variants[name] for share, name in comparison["variant_shares"].items()}
    draw_shares(right, trained, "models trained at it", TRAINED)
    right.yaxis.set_major_formatter(lambda value, _: f"{value:+.1f} %")
    right.invert_xaxis()
    right.set_xlabel("share of activations kept, %")
    right.set_title("Bits a byte above those of keeping all", loc="left", fontsize=9.5)
    right.legend(frameon=False, loc="upper left")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(args.output, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
