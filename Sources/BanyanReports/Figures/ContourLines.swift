/// Lines along which the values of a grid are equal.
///
/// Marching squares: a line crosses an edge of a cell where the values at its ends lie on two sides of the level, at the place
/// that linear interpolation gives. In a saddle the mean of the four corners decides which corners belong together. Cells with
/// a value that is not finite have no line.
package struct ContourLines {
  /// A place on the grid's axes.
  package struct Point: Sendable, Equatable {
    package var x: Double
    package var y: Double
  }

  private let values: [[Double]]
  private let x: [Double]
  private let y: [Double]

  /// A grid of `values[row][column]` at `y[row]` and `x[column]`.
  package init(_ values: [[Double]], x: [Double], y: [Double]) { (self.values, self.x, self.y) = (values, x, y) }

  /// The lines at `level`; closed ones end where they begin.
  package func lines(at level: Double) -> [[Point]] {
    var neighbours: [Int: [Int]] = [:]
    for row in 0..<max(0, y.count - 1) {
      for column in 0..<max(0, x.count - 1) {
        for (a, b) in segments(row, column, level) {
          neighbours[a, default: []].append(b)
          neighbours[b, default: []].append(a)
        }
      }
    }
    var lines: [[Point]] = []
    // Open lines from their ends first; what is left are rings.
    for wanted in [1, 2] {
      for start in neighbours.keys.sorted() where neighbours[start]?.count == wanted {
        var line = [start]
        var here = start
        while let next = neighbours[here]?.first {
          neighbours[here]?.removeFirst()
          if let back = neighbours[next]?.firstIndex(of: here) { neighbours[next]?.remove(at: back) }
          line.append(next)
          here = next
        }
        if line.count > 1 { lines.append(line.map { crossing($0, level) }) }
      }
    }
    return lines
  }

  // An edge is known by the grid point that it starts at: twice its number for the edge to the right, one more for the edge
  // to the next row.
  private func edge(_ row: Int, _ column: Int, down: Bool) -> Int { 2 * (row * x.count + column) + (down ? 1 : 0) }

  private func segments(_ row: Int, _ column: Int, _ level: Double) -> [(Int, Int)] {
    let corners = [
      values[row][column], values[row][column + 1], values[row + 1][column + 1], values[row + 1][column],
    ]
    guard corners.allSatisfy(\.isFinite) else { return [] }
    let inside = corners.map { $0 >= level }
    // Edges around the cell: each lies between a corner and the next one.
    let edges = [
      edge(row, column, down: false), edge(row, column + 1, down: true), edge(row + 1, column, down: false),
      edge(row, column, down: true),
    ]
    let crossed = (0..<4).filter { inside[$0] != inside[($0 + 1) % 4] }
    if crossed.count == 2 { return [(edges[crossed[0]], edges[crossed[1]])] }
    guard crossed.count == 4 else { return [] }
    // The first corner is cut off alone where the middle is on the other side of the level.
    let middle = corners.reduce(0, +) / 4 >= level
    return middle == inside[0]
      ? [(edges[0], edges[1]), (edges[2], edges[3])] : [(edges[3], edges[0]), (edges[1], edges[2])]
  }

  private func crossing(_ edge: Int, _ level: Double) -> Point {
    let (row, column) = (edge / 2 / x.count, edge / 2 % x.count)
    let (nextRow, nextColumn) = edge % 2 == 1 ? (row + 1, column) : (row, column + 1)
    let (from, to) = (values[row][column], values[nextRow][nextColumn])
    let share = (level - from) / (to - from)
    return Point(
      x: x[column] + share * (x[nextColumn] - x[column]), y: y[row] + share * (y[nextRow] - y[row]))
  }
}
