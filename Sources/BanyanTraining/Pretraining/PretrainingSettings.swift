public import BanyanCLIP
public import BanyanFoundation
public import BanyanTensor

/// The description of one pre-training: everything that the weights depend on.
///
/// Unlike an ``Experiment``, which adapts a CLIP that is there, it makes one from captioned pictures and random weights. A
/// file holds only what differs from the defaults; unknown keys are refused with the near names.
///
///     {"data": "world", "batchSize": 128, "contrastive": {"epochs": 5}, "patchDropping": 0.5}
public struct PretrainingSettings: Codable, Sendable, Equatable {
  /// The captioned pictures: a CSV or JSON-lines file, or a folder.
  public var data = ""
  /// A folder with a tokenizer to use; `null` learns one from the training captions.
  @Nullable public var tokenizer: String?
  /// Of the initial weights, batches, captions, crops and dropped patches.
  public var seed: UInt64 = 1
  /// Where tensors live.
  public var device = Device.cpu
  /// Threads of one op; `null` stands for all cores.
  @Nullable public var threads: Int?
  /// The shape of both towers.
  public var geometry = Geometry()
  /// The share of the training pictures that is held out where the source has no validation split.
  public var validationShare = 0.02
  /// Pictures per step.
  public var batchSize = 256
  /// The supervised warm-up of the image tower.
  public var warmup = Warmup()
  /// The contrastive training of both towers.
  public var contrastive = Contrastive()
  /// The share of its patches that a picture loses while training; the class token stays.
  public var patchDropping = 0.0
  /// How training pictures are varied.
  public var augmentation = Augmentation()
  /// How the held-out pictures are looked at.
  public var validation = Validation()
  /// Steps between two states on the disk.
  public var saveEvery = 500
  /// The type of the weights in the checkpoint that is written.
  public var precision = CheckpointWriter.Precision.float16

  /// The defaults: a small CLIP for pictures of 64 × 64.
  public init() {}

  /// The settings that an overlay of differences describes.
  ///
  /// - Throws: A `BanyanError` of kind `usage` that names the key and the near names.
  public init(_ overlay: JSONValue, over base: PretrainingSettings = PretrainingSettings(), subject: String) throws {
    self = try Settings.apply(overlay, to: base, subject: subject)
  }

  /// What differs from the defaults, as a file holds it.
  public func differences() throws -> JSONValue {
    try Settings.differences(of: JSONValue(encoding: self), from: JSONValue(encoding: PretrainingSettings()))
      ?? .object([:])
  }

  /// The widths and depths of both towers.
  public struct Geometry: Codable, Sendable, Equatable {
    /// Blocks of one tower; the inner width of an MLP is four times `width`.
    public struct Tower: Codable, Sendable, Equatable {
      /// Width of the residual stream.
      public var width: Int
      /// Number of blocks.
      public var layers: Int
      /// Attention heads per block.
      public var heads: Int

      /// Creates the shape of a tower.
      public init(width: Int, layers: Int, heads: Int) {
        self.width = width
        self.layers = layers
        self.heads = heads
      }
    }

    /// Side of the square input in pixels.
    public var imageSize = 64
    /// Side of a patch in pixels.
    public var patchSize = 8
    /// The image tower.
    public var image = Tower(width: 128, layers: 4, heads: 4)
    /// The text tower.
    public var text = Tower(width: 128, layers: 3, heads: 4)
    /// Width of the space that both towers project to.
    public var projection = 128
    /// Positions of a caption, start and end tokens included; longer captions lose their end.
    public var contextLength = 24
    /// The most tokens that a learned vocabulary may have; the captions may give fewer.
    public var vocabularySize = 2048
    /// The activation inside MLPs: quick_gelu or gelu.
    public var activation = CLIPConfiguration.Activation.quickGELU
  }

  /// Supervised warm-up: one linear head per attribute on the image feature after the projection, thrown away afterwards.
  public struct Warmup: Codable, Sendable, Equatable {
    /// The attributes to learn; all that have 2 to 256 values where empty.
    public var attributes: [String] = []
    /// Passes over the training pictures; fractions are allowed, 0 leaves the warm-up out.
    public var epochs = 3.0
    /// Steps, in place of `epochs`.
    @Nullable public var steps: Int?
    /// The highest rate.
    public var learningRate = 1e-3
  }

  /// Contrastive training by ``ContrastiveLoss`` with AdamW; the optimizer's constants serve the warm-up too.
  public struct Contrastive: Codable, Sendable, Equatable {
    /// Passes over the training pictures; fractions are allowed.
    public var epochs = 10.0
    /// Steps, in place of `epochs`.
    @Nullable public var steps: Int?
    /// The highest rate.
    public var learningRate = 1e-3
    /// Decoupled decay of matrices; norms, biases, positions, the class token and the logit scale do not decay.
    public var weightDecay = 0.1
    /// AdamW's decay of the first moment.
    public var beta1 = 0.9
    /// AdamW's decay of the second moment.
    public var beta2 = 0.98
    /// What AdamW adds to the root of the second moment.
    public var epsilon = 1e-6
    /// The share of the steps over which the rate grows from zero.
    public var warmupShare = 0.05
    /// The rate at the end as a share of the highest.
    public var minimumRateShare = 0.01
    /// One over the logit scale at the start.
    public var initialTemperature = 0.07
    /// What the logit scale is clamped to.
    public var maximumScale = 100.0
    /// The share of the target that is spread over the whole batch.
    public var labelSmoothing = 0.0
  }

  /// A random part of the picture, enlarged to the whole; off where `minimumScale` is 1.
  public struct Augmentation: Codable, Sendable, Equatable {
    /// The smallest part of the picture's area.
    public var minimumScale = 0.8
    /// The largest width over height of the part; the smallest is one over it.
    public var maximumRatio = 1.1
    /// How often a picture is mirrored; 0 where captions speak of left and right.
    public var flipProbability = 0.0
  }

  /// Retrieval and zero-shot naming on held-out pictures.
  public struct Validation: Codable, Sendable, Equatable {
    /// Steps of contrastive training between two looks; 0 looks at the end only.
    public var every = 250
    /// The most pictures that are looked at.
    public var pictures = 1000
    /// The attribute whose values are named; left out where the source has none of that name.
    public var attribute = "class"
    /// Sentences with {} for the attribute's value; their unit features are averaged.
    public var templates = ["a photo of a {}", "a picture of a {}"]
  }
}

extension PretrainingSettings {
  /// The geometry of the CLIP that comes out, for a tokenizer of `vocabularySize` tokens.
  func configuration(vocabularySize: Int) -> CLIPConfiguration {
    func tower(_ tower: Geometry.Tower) -> CLIPConfiguration.Transformer {
      CLIPConfiguration.Transformer(
        width: tower.width, layers: tower.layers, heads: tower.heads, mlpWidth: 4 * tower.width,
        activation: geometry.activation, epsilon: 1e-5)
    }
    return CLIPConfiguration(
      text: tower(geometry.text), vocabularySize: vocabularySize, contextLength: geometry.contextLength,
      image: tower(geometry.image), imageSize: geometry.imageSize, patchSize: geometry.patchSize,
      projectionWidth: geometry.projection)
  }
}
