public import BanyanFoundation
import CTorch

/// The engine under all tensors: its version, threads and devices.
public enum Engine {
  /// The version of libtorch that is linked.
  public static var version: String { "libtorch " + String(cString: ct_version()) }

  /// How many threads one op may use.
  ///
  /// Results are the same to the last bit for the same number of threads, and may differ in the last digits between
  /// different numbers.
  public static var threads: Int { Int(ct_threads()) }

  /// Sets how many threads one op may use.
  ///
  /// - Throws: A `BanyanError` of kind `usage` for a number below one.
  public static func setThreads(_ count: Int) throws {
    guard count >= 1, count <= 1024 else {
      throw BanyanError(.usage, at: "--threads \(count)", "expected a number from 1 to 1024")
    }
    try engine { ct_set_threads(Int32(count)) }
  }

  /// How many multiplications and additions products have had in this program so far, of all threads.
  ///
  /// Counted where they are done, products of matrices and attention, forward and backward, what is done a second time too. Not
  /// counted are gradients that libtorch takes by itself: of products outside of the towers' fused blocks.
  public static var operations: Int { Int(ct_operations()) }

  /// How many tensors the program holds; tests use it to show that nothing leaks.
  public static var liveTensors: Int { Int(ct_live_tensors()) }

  /// Keeps memory that is freed for what is allocated next, where the allocator can (glibc's), from now on in the whole program.
  ///
  /// Otherwise every large tensor is fresh memory from the system, which clears it page by page: a quarter of the time of a
  /// step that trains a whole tower. ``giveBackFreedMemory()`` still gives back. For programs, at their start; a library
  /// leaves that to whoever it runs in.
  public static func keepFreedMemory() { ct_keep_memory() }

  /// Gives memory that was freed and is kept for later back to the system, where the allocator can.
  public static func giveBackFreedMemory() { ct_give_back_memory() }

  /// Runs `body` without recording what gradients would need.
  public static func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = ct_set_gradient_recording(false)
    defer { _ = ct_set_gradient_recording(before) }
    return try body()
  }

  /// Runs `body` with gradients recorded, whatever the caller had set.
  public static func withGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = ct_set_gradient_recording(true)
    defer { _ = ct_set_gradient_recording(before) }
    return try body()
  }
}

/// Where a tensor lives.
public enum Device: String, NamedChoice {
  case cpu
  case cuda
  case mps

  var engineValue: ct_device {
    switch self {
    case .cpu: CT_CPU
    case .cuda: CT_CUDA
    case .mps: CT_MPS
    }
  }

  /// Whether this machine and this build of libtorch have the device.
  public var isAvailable: Bool { ct_device_available(engineValue) }

  /// Returns the device, or says why it cannot be used.
  ///
  /// - Throws: A `BanyanError` of kind `unavailable`.
  @discardableResult
  public func checked() throws -> Device {
    guard isAvailable else {
      let present = Device.allCases.filter(\.isAvailable).map(\.rawValue).joined(separator: ", ")
      throw BanyanError(
        .unavailable, at: "--device \(rawValue)",
        "this machine, or this build of \(Engine.version), has no \(rawValue) device",
        remedy: "Use one of: \(present).")
    }
    return self
  }
}

/// The type of a tensor's elements.
public enum DType: String, Sendable, Codable, CaseIterable {
  case float32, float64, float16, bfloat16, int64, int32, uint8, bool

  var engineValue: ct_dtype {
    switch self {
    case .float32: CT_FLOAT32
    case .float64: CT_FLOAT64
    case .float16: CT_FLOAT16
    case .bfloat16: CT_BFLOAT16
    case .int64: CT_INT64
    case .int32: CT_INT32
    case .uint8: CT_UINT8
    case .bool: CT_BOOL
    }
  }

  init(_ value: ct_dtype) {
    self = DType.allCases.first { $0.engineValue == value } ?? .float32
  }

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16: 2
    case .uint8, .bool: 1
    }
  }

  /// Whether elements have a fractional part.
  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16: true
    default: false
    }
  }
}
