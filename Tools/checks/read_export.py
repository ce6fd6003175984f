"""Reads what `banyan export` wrote with numpy, safetensors and transformers, and compares with `banyan classify`.

read_export.py FOLDER TASK PICTURE ANSWER.json PROMPTS.safetensors

Logits of transformers are compared with `logitScale · feature · matrixᵀ` in float64, for every task and for pictures around PICTURE;
for TASK and PICTURE those that `banyan classify` answers from, which its probabilities give but for a constant.
"""

import json
import re
import sys
from pathlib import Path

import numpy
from safetensors.numpy import load_file

folder, asked, picture, expected, prompts = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], sys.argv[5]
answer = {guess["name"]: guess["probability"] for guess in json.load(open(expected))[0]["guesses"]}

matrices = load_file(folder / "classifiers" / "classifiers.safetensors")
about = json.load(open(folder / "classifiers" / "tasks.json"))
arrays = []
for index, entry in enumerate(about["tasks"]):
    array = numpy.load(folder / "classifiers" / entry["array"])
    assert array.dtype == numpy.float32 and array.shape[0] == len(entry["classes"])
    assert (array == matrices[f"tasks.{index}.classifier"]).all()
    assert numpy.abs(numpy.linalg.norm(array, axis=1) - 1).max() < 1e-5
    arrays.append(array.astype(numpy.float64))

# A float32 sum over `width` products of two unit vectors is off by width · ε/2 at most, since the products' magnitudes add up to one
# at most. As much again is allowed for the rows of the matrix, whose last step is such a sum in two programs. Logits are that times
# the scale.
width, scale = arrays[0].shape[1], about["logitScale"]
of_a_product = width * float(numpy.finfo(numpy.float32).eps)
of_a_logit = scale * of_a_product

# The lines of the folder's own README, word for word but for the places.
text = (folder / "transformers" / "README.md").read_text()
code = re.search(r"```python\n(.*?)```", text, re.S).group(1)
line = 'folder, task, picture = ".", 0, "picture.jpg"'
assert line in code


def by_readme(task: int, file: Path) -> dict:
    scope: dict = {}
    exec(code.replace(line, f"folder, task, picture = {str(folder / 'transformers')!r}, {task}, {str(file)!r}"), scope)
    return scope


# One picture of every class of PICTURE's task, and itself.
pictures = sorted({picture, *(next(iter(sorted(place.glob("*.png")))) for place in picture.parents[1].iterdir() if place.is_dir())})
assert len(pictures) > 1, pictures
rows_apart = logits_apart = 0.0
for task, (entry, matrix) in enumerate(zip(about["tasks"], arrays)):
    for file in pictures:
        scope = by_readme(task, file)
        assert scope["about"]["name"] == entry["name"] and scope["about"]["classes"] == entry["classes"]
        rows_apart = max(rows_apart, numpy.abs(scope["classifier"].numpy() - matrix).max())
        truth = scale * matrix @ scope["image"][0].numpy().astype(numpy.float64)
        logits_apart = max(logits_apart, numpy.abs(scope["logits"][0].numpy() - truth).max())
assert rows_apart < of_a_product, (rows_apart, of_a_product)
assert logits_apart < of_a_logit, (logits_apart, of_a_logit)

# Two programs' features too: twice as much, and again twice since each is taken off the mean of its row.
scope = by_readme(asked, picture)
names = scope["about"]["classes"]
shares = numpy.log([answer[name] for name in names])
logits = scope["logits"][0].numpy().astype(numpy.float64)
answers_apart = numpy.abs((logits - logits.mean()) - (shares - shares.mean())).max()
assert answers_apart < 4 * of_a_logit, (answers_apart, of_a_logit)

# The lines of Documentation/Files.md.
text = (Path(__file__).parents[2] / "Documentation" / "Files.md").read_text()
code = re.search(r"```python\n(.*?)```", text, re.S).group(1)
line = 'folder, task = "exports/hipro/classifiers", 0'
assert line in code
lines: dict = {"image": scope["image"].numpy()}
exec(code.replace(line, f"folder, task = {str(folder / 'classifiers')!r}, {asked}"), lines)
assert lines["answers"].keys() == answer.keys()
assert all(abs(share - answer[name]) < 4 * of_a_logit for name, share in lines["answers"].items()), (lines["answers"], answer)

adapter = load_file(folder / "adapter" / "adapter_model.safetensors")
learned = load_file(prompts)
assert adapter.keys() == {f"base_model.model.{name}" for name in learned}
assert all((adapter[f"base_model.model.{name}"] == value).all() for name, value in learned.items())
configuration = json.load(open(folder / "adapter" / "adapter_config.json"))
assert configuration["peft_type"] == "BANYAN" and configuration["banyan_tasks"], configuration
assert learned or configuration["banyan_method"] == "zero-shot", configuration

# With one template the pipeline gives the same. A share moves by half of what its logits do at most.
templates = scope["about"]["templates"]
if len(templates) == 1:
    from transformers import pipeline

    classify = pipeline("zero-shot-image-classification", model=str(folder / "transformers"))
    found = classify(str(picture), candidate_labels=names, hypothesis_template=templates[0])
    for guess in found:
        assert abs(guess["score"] - answer[guess["label"]]) < 2 * of_a_logit, (found, answer)
print(
    f"read {len(templates)} templates; {len(arrays)} tasks and {len(pictures)} pictures: classifiers within {rows_apart:.1e}, logits within "
    f"{logits_apart:.1e} of {of_a_logit:.1e}, those of banyan classify within {answers_apart:.1e}")
