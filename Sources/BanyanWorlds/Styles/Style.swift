public import BanyanFoundation

/// How a picture is rendered: the same scene in 15 looks.
public enum Style: String, NamedChoice, CaseIterable {
  /// Shaded, on a soft backdrop with a shadow.
  case studio
  /// Shaded, in daylight before a wall, a floor and other things.
  case street
  /// Flat colours and thick black outlines.
  case clipArt = "clip-art"
  /// Grey freehand lines and hatching on paper.
  case pencil
  /// Thin washes that pool at their edges, on rough paper.
  case watercolour
  /// Little light, blue, with a lamp's glow and grain.
  case night
  /// Black brush lines and filled shadows.
  case ink
  /// White lines on blue with a grid.
  case blueprint
  /// One light shape on one colour.
  case icon
  /// A dark shape against the light.
  case silhouette
  /// Dots of one ink on newsprint.
  case halftone
  /// Few large squares of few colours.
  case pixel
  /// Coloured chalk on a board.
  case chalk
  /// Glowing tubes in the dark.
  case neon
  /// Heat as false colour.
  case thermal

  /// The words that a caption uses for a picture of this style.
  public var phrase: String {
    switch self {
    case .studio: "studio photo"
    case .street: "street photo"
    case .clipArt: "clip art"
    case .pencil: "pencil drawing"
    case .watercolour: "watercolour painting"
    case .night: "night photo"
    case .ink: "ink drawing"
    case .blueprint: "blueprint"
    case .icon: "icon"
    case .silhouette: "silhouette"
    case .halftone: "newspaper print"
    case .pixel: "pixel art"
    case .chalk: "chalk drawing"
    case .neon: "neon sign"
    case .thermal: "thermal image"
    }
  }

  /// Whether a caption's colour word can be seen in the picture.
  public var showsColour: Bool {
    switch self {
    case .studio, .street, .clipArt, .watercolour, .night, .pixel, .chalk, .neon: true
    case .pencil, .ink, .blueprint, .icon, .silhouette, .halftone, .thermal: false
    }
  }

  var rendering: any StyleRendering {
    switch self {
    case .studio: StudioRendering()
    case .street: StreetRendering()
    case .clipArt: ClipArtRendering()
    case .pencil: PencilRendering()
    case .watercolour: WatercolourRendering()
    case .night: NightRendering()
    case .ink: InkRendering()
    case .blueprint: BlueprintRendering()
    case .icon: IconRendering()
    case .silhouette: SilhouetteRendering()
    case .halftone: HalftoneRendering()
    case .pixel: PixelRendering()
    case .chalk: ChalkRendering()
    case .neon: NeonRendering()
    case .thermal: ThermalRendering()
    }
  }
}

/// The rendering operations that two styles, or two variants of a style, share or do not share.
///
/// These plant the relatedness of tasks: variants of one style differ from each other only in these numbers, and mildly.
public struct StyleVariant: Codable, Sendable, Hashable {
  /// What the paper, board or backdrop is tinted with: red, green, blue factors.
  public var paper: [Float] = [1, 1, 1]
  /// A factor on the width of lines.
  public var lineWeight: Float = 1
  /// The strength of grain, as a share of full brightness.
  public var noise: Float = 0
  /// How far colours are turned around the grey axis, as a share of a turn.
  public var hue: Float = 0
  /// A factor on the colours' distance from grey.
  public var saturation: Float = 1
  /// The spread of a blur in 1/64 of the side.
  public var blur: Float = 0
  /// A factor on the distance from middle grey.
  public var contrast: Float = 1
  /// A factor on all light.
  public var brightness: Float = 1

  /// The style as it is.
  public init() {}

  /// The style with some operations changed.
  public init(
    paper: [Float] = [1, 1, 1], lineWeight: Float = 1, noise: Float = 0, hue: Float = 0, saturation: Float = 1,
    blur: Float = 0, contrast: Float = 1, brightness: Float = 1
  ) {
    self.paper = paper
    self.lineWeight = lineWeight
    self.noise = noise
    self.hue = hue
    self.saturation = saturation
    self.blur = blur
    self.contrast = contrast
    self.brightness = brightness
  }

  /// The paper's factors as a colour.
  var tint: Colour { paper.count == 3 ? Colour(paper[0], paper[1], paper[2]) : .one }
}

/// One style: what it draws behind the object and how it turns the canvas into colours.
protocol StyleRendering: Sendable {
  /// How outlines are drawn; width in 1/64 of the side.
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?)
  /// Draws what is behind the object; takes its choices from the scene's.
  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant)
  /// The colours of the picture from the canvas.
  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane
}
