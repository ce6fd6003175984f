import BanyanFoundation
import CTorch

/// Runs one call of the engine and turns its failure into an error that carries the op's name, shapes and text.
func engine(_ call: () -> Int32) throws {
  if call() != 0 { throw engineError() }
}

/// Runs one call of the engine that hands out a tensor.
func produce(_ call: (UnsafeMutablePointer<ct_tensor?>) -> Int32) throws -> Tensor {
  var handle: ct_tensor?
  guard call(&handle) == 0, let handle else { throw engineError() }
  return Tensor(handle)
}

private func engineError() -> BanyanError {
  let text = String(cString: ct_last_error())
  let cut = text.firstIndex(of: ":") ?? text.endIndex
  let message = text[cut...].drop { $0 == ":" || $0 == " " }
  return BanyanError(.failed, at: "engine op \(text[..<cut])", String(message))
}
