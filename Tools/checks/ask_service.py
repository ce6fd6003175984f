"""Asks a running service as Triton's public client does, and compares with what `banyan classify` said.

ask_service.py HOST:PORT TASK PICTURE ANSWER.json
"""

import json
import sys

import numpy
import tritonclient.http as triton

host, task, picture, expected = sys.argv[1:]
answer = {guess["name"]: guess["probability"] for guess in json.load(open(expected))[0]["guesses"]}
client = triton.InferenceServerClient(host)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(task)
server = client.get_server_metadata()
assert server["name"] == "banyan" and "binary_tensor_data" in server["extensions"], server
model = client.get_model_metadata(task)
names = model["parameters"]["classes"]
assert {tensor["name"] for tensor in model["inputs"]} == {"image", "pixels"}, model
assert sorted(names) == sorted(answer), (names, answer)
truth = numpy.array([answer[name] for name in names])
best = names[int(truth.argmax())]
data = open(picture, "rb").read()


def image(count: int, binary: bool) -> triton.InferInput:
    tensor = triton.InferInput("image", [count], "BYTES")
    tensor.set_data_from_numpy(numpy.array([data] * count, dtype=object), binary_data=binary)
    return tensor


# Behind the JSON both ways; three pictures at once.
wanted = [triton.InferRequestedOutput("probabilities", binary_data=True), triton.InferRequestedOutput("label", binary_data=True)]
found = client.infer(task, [image(3, True)], outputs=wanted, request_id="seven")
rows = found.as_numpy("probabilities")
assert rows.shape == (3, len(names)) and rows.dtype == numpy.float32
assert numpy.abs(rows - truth).max() < 1e-5, (rows, truth)
assert [label.decode() for label in found.as_numpy("label")] == [best] * 3
assert found.get_response()["id"] == "seven"

# As JSON.
wanted = [triton.InferRequestedOutput("probabilities", binary_data=False), triton.InferRequestedOutput("label", binary_data=False)]
found = client.infer(task, [image(1, True)], outputs=wanted)
assert numpy.abs(found.as_numpy("probabilities") - truth).max() < 1e-5
assert found.as_numpy("label").tolist() in ([best], [best.encode()])

# The classification extension.
found = client.infer(task, [image(1, True)], outputs=[triton.InferRequestedOutput("probabilities", class_count=2)])
first = found.as_numpy("probabilities")[0][0].decode().split(":", 2)
assert first[2] == best and int(first[1]) == names.index(best) and abs(float(first[0]) - truth.max()) < 1e-5, first

# Planes that are preprocessed already.
shape = next(tensor["shape"] for tensor in model["inputs"] if tensor["name"] == "pixels")
planes = numpy.zeros([2] + shape[1:], dtype=numpy.float32)
tensor = triton.InferInput("pixels", list(planes.shape), "FP32")
for binary in (True, False):
    tensor.set_data_from_numpy(planes, binary_data=binary)
    rows = client.infer(task, [tensor]).as_numpy("probabilities")
    assert rows.shape == (2, len(names)) and numpy.abs(rows.sum(-1) - 1).max() < 1e-5

# What does not fit is said.
for name, shape, words in [("picture", [1], "image"), ("image", [2], "2 elements")]:
    tensor = triton.InferInput(name, [1], "BYTES")
    tensor.set_data_from_numpy(numpy.array([data], dtype=object))
    tensor._shape = shape
    try:
        client.infer(task, [tensor])
    except triton.InferenceServerException as error:
        assert words in str(error), error
    else:
        raise AssertionError(f"{name} {shape} was taken")
try:
    client.get_model_metadata(task + "x")
except triton.InferenceServerException as error:
    assert task in str(error), error
print("asked")
