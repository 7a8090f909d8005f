"""What a model's embedding costs beside the same model without: bytes, operations, multiply-accumulates and arena.

``python benchmarks/embedding_cost.py WITH.tflite WITHOUT.tflite > benchmarks/convert/embedding_cost.json``

Instructions are counted by ``deseptr firmware arm-cost`` on the same two files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from deseptr.convert.micro.source import measure_arena
from deseptr.tflite import read_tflite, without_archive
from deseptr.tflite.graph import read_graph


@click.command()
@click.argument("embedded", metavar="WITH", type=click.Path(path_type=Path))
@click.argument("plain", metavar="WITHOUT", type=click.Path(path_type=Path))
def main(embedded: Path, plain: Path) -> None:
    """Print JSON."""
    click.echo(json.dumps({"with": cost(embedded), "without": cost(plain)}, indent=2))


def cost(path: Path) -> dict[str, Any]:
    """Figures of a model's file and of the graph in it."""
    file = read_tflite(path)
    flatbuffer = without_archive(file.content)
    graph = read_graph(flatbuffer, path)
    return {
        "embedding_width": file.contract.embedding_width,
        "file_bytes": len(file.content),
        "graph_bytes": len(flatbuffer),
        "operations": len(graph.nodes),
        "macs": graph.macs,
        "arena_bytes": measure_arena(flatbuffer).bytes,
    }


if __name__ == "__main__":
    main()
