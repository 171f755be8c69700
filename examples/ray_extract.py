"""Reads all documents of a folder on a cluster of Ray: ``python ray_extract.py CONTRACTS OUT [ADDRESS]``.

Without an address the cluster is that of ``RAY_ADDRESS``, which ``ray job submit`` sets, or one on this machine. Each
node needs ``pip install 'longdoc[model,parquet,ray]'`` and the documents at the same paths, as on a shared file system
or in ``s3://bucket/contracts``. If it is interrupted, the same command goes on.
"""

import sys

from longdoc import extract_many


def main(documents: str, out: str, address: str | None = None) -> None:
    status = extract_many(
        [documents],
        out,
        record="contract",
        engine="ray",
        ray_address=address,
        progress=lambda now: print(f"{now.documents} of {now.of} documents, {now.failed} failed", flush=True),
    )
    print(f"{status.counts} in {out}")
    for failure in status.failures:
        print(f"{failure.address}: {failure.state}: {failure.reason}")


if __name__ == "__main__":
    main(*sys.argv[1:])
