/// How a page looks and what its table does; colours are those of ``Palette``.
enum PageStyle {
  static let css = """
    body{margin:0;background:var(--p);color:var(--t);font:16px/1.5 system-ui,sans-serif}
    main{max-width:70rem;margin:auto;padding:1.5rem}
    h1{font-size:1.6rem}h2{font-size:1.25rem;margin:2.5rem 0 .5rem}
    p{max-width:44rem}.note{border-left:4px solid var(--s1);padding-left:.75rem}
    .wide{overflow-x:auto}
    table{border-collapse:collapse;font-variant-numeric:tabular-nums}
    caption{text-align:left;color:var(--m);padding-bottom:.5rem}
    th,td{padding:.3rem .7rem;border-bottom:1px solid var(--g);text-align:right;white-space:nowrap}
    th:first-child{text-align:left}tbody tr:hover{background:var(--g)}
    th button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;cursor:pointer}
    th[aria-sort=ascending] button::after{content:" ▲"}th[aria-sort=descending] button::after{content:" ▼"}
    button:focus-visible,summary:focus-visible{outline:2px solid var(--s0);outline-offset:2px}
    .figures{display:flex;flex-wrap:wrap;gap:1.5rem}
    td img{vertical-align:middle;object-fit:contain}
    figure{margin:0;max-width:100%}figcaption{font-weight:600}
    .figure{max-width:100%;height:auto}
    details{margin:.5rem 0}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.5rem 1rem}
    dt{color:var(--m)}dd{margin:0;overflow-wrap:anywhere}
    @media print{main{max-width:none;padding:0}figure,tr{break-inside:avoid}}
    """

  /// Sorts a table by the column whose heading is pressed: numbers by value, the largest first; then the other way round.
  static let script = """
    for (const table of document.querySelectorAll("table.sortable")) {
      const heads = [...table.tHead.rows[0].cells];
      heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        heads.forEach(other => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const value = row => {
          const text = row.cells[column].dataset.value;
          return column === 0 ? text : text === "" ? -Infinity : Number(text);
        };
        const order = (a, b) => a < b ? -1 : a > b ? 1 : 0;
        [...table.tBodies[0].rows]
          .sort((a, b) => (down ? -1 : 1) * order(value(a), value(b)))
          .forEach(row => table.tBodies[0].append(row));
      }));
    }
    """
}
