"""Reads what `banyan export` wrote with numpy, safetensors and transformers, and compares with `banyan classify`.

read_export.py FOLDER TASK PICTURE ANSWER.json
"""

import json
import re
import sys
from pathlib import Path

import numpy
import torch
from safetensors.numpy import load_file

folder, task, picture, expected = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
answer = {guess["name"]: guess["probability"] for guess in json.load(open(expected))[0]["guesses"]}

matrices = load_file(folder / "classifiers" / "classifiers.safetensors")
about = json.load(open(folder / "classifiers" / "tasks.json"))
for index, entry in enumerate(about["tasks"]):
    array = numpy.load(folder / "classifiers" / entry["array"])
    assert array.dtype == numpy.float32 and array.shape[0] == len(entry["classes"])
    assert (array == matrices[f"tasks.{index}.classifier"]).all()
    assert numpy.abs(numpy.linalg.norm(array, axis=1) - 1).max() < 1e-5

# The lines of the folder's own README, word for word but for the places.
text = (folder / "transformers" / "README.md").read_text()
code = re.search(r"```python\n(.*?)```", text, re.S).group(1)
line = 'folder, task, picture = ".", 0, "picture.jpg"'
assert line in code
scope: dict = {}
exec(code.replace(line, f"folder, task, picture = {str(folder / 'transformers')!r}, {task}, {picture!r}"), scope)
classifier = scope["classifier"].numpy()
difference = numpy.abs(classifier - matrices[f"tasks.{task}.classifier"]).max()
assert difference < 1e-4, difference
names = scope["about"]["classes"]
shares = scope["logits"].softmax(-1)[0].tolist()
truth = [answer[name] for name in names]
assert max(abs(a - b) for a, b in zip(shares, truth)) < 1e-3, (shares, truth)

adapter = load_file(folder / "adapter" / "adapter_model.safetensors")
assert adapter and all(name.startswith("base_model.model.") for name in adapter)
configuration = json.load(open(folder / "adapter" / "adapter_config.json"))
assert configuration["peft_type"] == "BANYAN" and configuration["banyan_tasks"], configuration

# With one template the pipeline gives the same.
templates = scope["about"]["templates"]
if len(templates) == 1:
    from transformers import pipeline

    classify = pipeline("zero-shot-image-classification", model=str(folder / "transformers"))
    found = classify(picture, candidate_labels=names, hypothesis_template=templates[0])
    for guess in found:
        assert abs(guess["score"] - answer[guess["label"]]) < 1e-3, (found, answer)
print("read", len(templates), "templates, classifiers within", float(difference))
