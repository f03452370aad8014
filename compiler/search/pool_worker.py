"""The process of `process_pool.py`: reads a pickled evaluator and then points, and answers what it measures.

    python -m smalti.compiler.search.pool_worker FILE_DESCRIPTOR

It ends when the search does, however that ends: the connection is closed then.
"""

from __future__ import annotations

import pickle
import sys
from multiprocessing.connection import Connection

from .evaluator import portable_error


def main(descriptor: int) -> None:
    """Answer until the other side is gone."""
    connection = Connection(descriptor)
    evaluator = None
    try:
        pickled = connection.recv_bytes()
        while True:
            point = connection.recv()
            try:
                if evaluator is None:
                    evaluator = pickle.loads(pickled)
                connection.send(evaluator.evaluate(point))
            except (EOFError, BrokenPipeError, KeyboardInterrupt):
                raise
            except BaseException as error:
                connection.send(portable_error(error))
    except (EOFError, OSError, KeyboardInterrupt):
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
