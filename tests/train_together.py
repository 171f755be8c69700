"""Several ``longdoc train`` commands, one after another in the same processes; to be started by torchrun.

torchrun --nproc-per-node 2 tests/train_together.py '[["train", "zero1.yaml", "--deepspeed", "zero1.json"]]'
"""

import json
import sys

import deepspeed.ops
from accelerate.state import AcceleratorState
from transformers.integrations.deepspeed import unset_hf_deepspeed_config

from longdoc.cli import main

if __name__ == "__main__":
    deepspeed.ops.__compatible_ops__ = {}  # else it compiles a kernel for a minute that only inference calls
    for command in json.loads(sys.argv[1]):
        if code := main(command):
            sys.exit(code)
        AcceleratorState._reset_state()  # it remembers DeepSpeed's configuration; the process group stays
        unset_hf_deepspeed_config()
