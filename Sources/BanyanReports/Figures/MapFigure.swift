/// Things in the plane, near ones alike, coloured by group.
///
/// Paper: van der Maaten and Hinton, *Visualizing Data using t-SNE*, JMLR 9, 2008; tasks with icons as in Achille et al.,
/// *Task2Vec*, ICCV 2019, supplement, figure 4.
public struct MapFigure {
  private let record: MapRecord
  private let groups: [String]

  /// The figure of a map.
  public init(_ record: MapRecord) {
    self.record = record
    var groups: [String] = []
    for place in record.places where !groups.contains(place.group) { groups.append(place.group) }
    self.groups = groups
  }

  /// The figure as a file of its own.
  public func svg(name: String) -> String { drawing(name: name).svg(isAlone: true) }

  func drawing(name: String) -> Drawing {
    let side = record.icons == nil ? 460.0 : 620
    let legend = groups.map { Drawing.width(of: $0, size: 12) }.max() ?? 0
    let noteWidth = record.note.map { Drawing.width(of: $0, size: 12) } ?? 0
    let left = 16.0
    let top = record.note == nil ? 12.0 : 34
    var figure = Drawing(
      name: name, title: record.title, summary: summary, width: max(left + side + 24 + legend + 24, noteWidth + 32),
      height: max(top + side + 16, top + 22 * Double(groups.count) + 24))
    if let note = record.note { figure.text(note, at: .init(left, 20), .muted) }
    let frame = [(0.0, 0.0), (side, 0), (side, side), (0, side), (0, 0)]
    figure.add(.line(frame.map { .init(left + $0.0, top + $0.1) }), .grid)
    // One scale both ways.
    let (x, y) = (record.places.map(\.x), record.places.map(\.y))
    let (low, high) = ((x: x.min() ?? 0, y: y.min() ?? 0), (x: x.max() ?? 1, y: y.max() ?? 1))
    let room = record.icons == nil ? 18.0 : 34
    let scale = (side - 2 * room) / max(high.x - low.x, high.y - low.y, 1e-12)
    let across = (side - (high.x - low.x) * scale) / 2
    let down = (side - (high.y - low.y) * scale) / 2
    func place(_ place: MapRecord.Place) -> Drawing.Point {
      .init(left + across + (place.x - low.x) * scale, top + side - down - (place.y - low.y) * scale)
    }
    let many = record.places.count > 300
    let isNamed = record.icons == nil && record.places.count <= 40
    for (index, item) in record.places.enumerated() {
      let ink = Drawing.Ink.series(groups.firstIndex(of: item.group) ?? 0)
      let tip = item.name == item.group ? item.name : "\(item.name), \(item.group)"
      if let icon = record.icons?[index] {
        draw(icon, &figure, centre: place(item), ink, tip: tip)
      } else {
        let shape = shape(of: item.group, at: place(item), radius: many ? 2.2 : 4)
        figure.add(shape, ink, opacity: many ? 0.7 : 0.9, tip: tip)
      }
      if isNamed {
        let at = place(item)
        let isRight = at.x > left + side * 0.7
        figure.text(item.name, at: .init(at.x + (isRight ? -8 : 8), at.y + 4), .text, size: 11, isRight ? .end : .start)
      }
    }
    // A group of one is named where it stands.
    if !isNamed || groups.count < record.places.count {
      for (number, group) in groups.enumerated() {
        let y = top + 14 + 22 * Double(number)
        figure.add(shape(of: group, at: .init(left + side + 24, y), radius: 5), .series(number))
        figure.text(group, at: .init(left + side + 36, y + 4), .text)
      }
    }
    return figure
  }

  private func shape(of group: String, at centre: Drawing.Point, radius: Double) -> Drawing.Shape {
    Drawing.mark(of: groups.firstIndex(of: group) ?? 0, at: centre, radius: radius)
  }

  /// A picture of one colour, neighbours in a row as one box.
  private func draw(
    _ icon: [String], _ figure: inout Drawing, centre: Drawing.Point, _ ink: Drawing.Ink, tip: String
  ) {
    let size = 40.0
    let cell = size / Double(max(1, icon.count))
    let corner = Drawing.Point(centre.x - size / 2, centre.y - size / 2)
    figure.add(.box(corner, width: size, height: size), .grid, opacity: 0.5, tip: tip)
    for (row, line) in icon.enumerated() {
      let dots = Array(line)
      var start = 0
      while start < dots.count {
        var end = start + 1
        while end < dots.count, dots[end] == dots[start] { end += 1 }
        if dots[start] == "#" {
          figure.add(
            .box(
              .init(corner.x + cell * Double(start), corner.y + cell * Double(row)), width: cell * Double(end - start),
              height: cell), ink, tip: tip)
        }
        start = end
      }
    }
  }

  private var summary: String {
    let counts = groups.map { group in "\(group): \(record.places.count { $0.group == group })" }
    return (record.note.map { "\($0). " } ?? "") + "Things placed by likeness; " + counts.joined(separator: ", ") + "."
  }
}
