// The map of the test pairs. Marks are paths, one for each kind. Data become text, never markup.
{
  const NEAR_PX = 16, MOST_SHOWN = 200, MARGIN_PX = 12;
  const SHAPES = {
    circle: (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
    square: (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
    diamond: (x, y, r) => `M${x} ${y - 1.3 * r}l${1.3 * r} ${1.3 * r}l${-1.3 * r} ${1.3 * r}l${-1.3 * r} ${-1.3 * r}z`,
    up: (x, y, r) => `M${x} ${y - 1.4 * r}l${1.3 * r} ${2.3 * r}h${-2.6 * r}z`,
    down: (x, y, r) => `M${x} ${y + 1.4 * r}l${1.3 * r} ${-2.3 * r}h${-2.6 * r}z`,
    plus: (x, y, r) => `M${x - r / 2} ${y - 1.3 * r}h${r}v${0.8 * r}h${0.8 * r}v${r}h${-0.8 * r}v${0.8 * r}h${-r}v${-0.8 * r}h${-0.8 * r}v${-r}h${0.8 * r}z`,
  };
  const OF_CLASS = [["both", "circle"], ["image", "square"], ["text", "diamond"], ["fail", "up"], ["warn", "down"], ["ink", "plus"]];
  const OF_OUTCOME = { kept: ["muted", "circle", 0.75], missed: ["ink", "plus", 1.2], lost: ["fail", "down", 1.35], rescued: ["both", "up", 1.35] };
  const OUTCOMES = { kept: "always right", missed: "never right", lost: "lost", rescued: "rescued" };
  const OTHERS = ["muted", "circle", 0.8];

  const element = (name, content, properties) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...(Array.isArray(content) ? content : [content]));
    return made;
  };
  const drawn = (name, attributes) => {
    const made = document.createElementNS(document.querySelector("#pair-map svg").namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const number = (n) => n.toLocaleString("en");
  const quoted = (value) => `"${value.replaceAll('"', '""')}"`;
  // A spreadsheet computes a cell that begins with one of these. Ids stay as they are, so that exclude: finds them.
  const unarmed = (value) => (/^[=+\-@\t\uff1d\uff0b\uff0d\uff20]/.test(value) ? `'${value}` : value);

  // The pictures of pairs that another section of the page has already.
  let pictures;
  const pictureOf = (id) => {
    if (!pictures) {
      const source = document.getElementById("disagreement-rows"), rows = source ? JSON.parse(source.textContent) : { id: [] };
      pictures = new Map(rows.id.map((each, row) => [each, rows.pictures?.[rows.picture?.[row]]]));
    }
    return pictures.get(id);
  };

  const inside = (polygon, x, y) => {
    let isIn = false;
    for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
      const [xi, yi] = polygon[i], [xj, yj] = polygon[j];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) isIn = !isIn;
    }
    return isIn;
  };

  const start = (map, data) => {
    const find = (name) => map.querySelector(`[data-map=${name}]`), place = find("place"), n = data.id.length;
    const marks = find("marks"), filters = ["label", "outcome"].map(find).filter(Boolean), lasso = find("lasso");
    const listed = new Set(), lowest = Math.min(...data.y), highest = Math.max(...data.y);
    let at = [], current = -1, path = null, isDown = false, rest = null;

    const outcome = (row) => data.outcomes[data.outcome[row]];
    const kind = (row) => (marks.value === "outcome" ? outcome(row) ?? "" : String(data.label[row] < OF_CLASS.length ? data.label[row] : "other"));
    const look = (of) => (marks.value === "outcome" ? OF_OUTCOME[of] : OF_CLASS[Number(of)]) ?? OTHERS;
    const matches = (row) => filters.every((each) => each.value === "" || data[each.dataset.map][row] === Number(each.value));
    const matching = () => [...Array(n).keys()].filter(matches);

    const svg = place.querySelector("svg"), back = drawn("g", {}), over = drawn("g", {});
    svg.append(back, over);

    const draw = () => {
      const width = place.clientWidth, r = width < 500 ? 3 : 4;
      if (!width) return;
      const scale = width - 2 * MARGIN_PX, height = Math.max(120, (highest - lowest) * scale + 2 * MARGIN_PX);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      at = data.x.map((x, row) => [x * scale + MARGIN_PX, (highest - data.y[row]) * scale + MARGIN_PX]);
      const groups = new Map();
      // Marks of a rare kind are drawn last, on top.
      for (let row = 0; row < n; row++) {
        const key = `${matches(row) ? "1" : "0"}${kind(row)}`;
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(row);
      }
      const order = [...groups].sort(([a, own], [b, other]) => a[0] - b[0] || other.length - own.length);
      back.replaceChildren(...order.map(([key, rows]) => {
        const [colour, shape, size = 1] = look(key.slice(1));
        const d = rows.map((row) => SHAPES[shape](...at[row].map((each) => Math.round(each * 10) / 10), r * size)).join("");
        return drawn("path", { d, style: `fill:var(--${colour});opacity:${key[0] === "1" ? 0.85 : 0.12}` });
      }));
      mark();
      legend(groups);
    };
    const legend = (groups) => {
      const kinds = [...new Set([...groups.keys()].map((key) => key.slice(1)))].sort();
      find("legend").replaceChildren(...kinds.map((of) => {
        const [colour, shape, size = 1] = look(of), sample = drawn("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" });
        sample.append(drawn("path", { d: SHAPES[shape](7, 7, 4.2 * size), style: `fill:var(--${colour})` }));
        const name = marks.value === "outcome" ? OUTCOMES[of] ?? "not predicted" : of === "other" ? "other classes" : data.classes[of] ?? "no class";
        return element("li", [sample, " ", element("bdi", name)]);
      }));
    };
    const mark = () => {
      const parts = [...listed].map((row) => drawn("circle", { class: "listed", cx: at[row][0], cy: at[row][1], r: 6 }));
      if (current >= 0) parts.push(drawn("circle", { cx: at[current][0], cy: at[current][1], r: 9 }));
      if (path) parts.push(drawn("path", { class: "lasso", d: `M${path.map((each) => each.map(Math.round).join(" ")).join("L")}z` }));
      over.replaceChildren(...parts);
    };

    // One pair.
    const picture = (row) => {
      const source = data.has_texts ? pictureOf(data.id[row]) : undefined;
      if (source) return element("img", [], { src: source, alt: "", width: 96, height: 96 });
      return element("span", "no picture on this page", { className: "no-picture" });
    };
    const named = (place) => element("bdi", data.classes[place] ?? "none");
    const show = (row) => {
      if (row === current) return;
      current = row;
      mark();
      const facts = [element("p", [element("b", element("bdi", data.name[row]))]), element("p", ["class: ", named(data.label[row])])];
      if (outcome(row)) {
        const readers = ["text", "image", "both"].map((reader, i) => [i ? ", " : "", `${reader}: `, named(data.predicted[i][row])]).flat();
        facts.push(element("p", [`${OUTCOMES[outcome(row)]} (predicted by `, ...readers, ")"]));
      }
      if (data.text[row] !== null) facts.push(element("p", data.text[row], { dir: "auto" }));
      find("pair").replaceChildren(...(data.has_texts ? [picture(row)] : []), element("div", facts));
    };

    // The list.
    const cells = (row) => {
      const name = element("th", element("bdi", data.name[row]), { scope: "row" }), found = [name, element("td", named(data.label[row]))];
      if (filters.length > 1) found.push(element("td", OUTCOMES[outcome(row)] ?? "not predicted"), element("td", named(data.predicted[2][row])));
      if (data.has_texts) found.push(element("td", data.text[row] ?? "", { dir: "auto" }));
      return element("tr", found);
    };
    const list = (rows) => {
      listed.clear();
      for (const row of rows) listed.add(row);
      find("listed").hidden = !listed.size;
      find("rows").replaceChildren(...[...listed].slice(0, MOST_SHOWN).map(cells));
      const few = listed.size > MOST_SHOWN ? ` The first ${number(MOST_SHOWN)} are shown, and the file has all.` : "";
      find("count").textContent = `${number(listed.size)} pair${listed.size === 1 ? "" : "s"} listed.${few}`;
      mark();
    };
    const toggle = (row) => list(listed.has(row) ? [...listed].filter((each) => each !== row) : [...listed, row]);
    const save = () => {
      const head = ["id", "class", "outcome", "text_predicts", "image_predicts", "both_predict", "x", "y"];
      const known = [...listed].filter((row) => data.id[row] !== null);
      const rows = known.map((row) => [
        data.id[row],
        ...[data.classes[data.label[row]] ?? "", OUTCOMES[outcome(row)] ?? "", ...data.predicted.map((each) => data.classes[each[row]] ?? "")].map(unarmed),
        String(data.x[row]), String(data.y[row]),
      ]);
      const text = [head, ...rows].map((row) => row.map(quoted).join(",") + "\n").join("");
      const link = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
      const anchor = element("a", [], { href: link, download: "map-pairs.csv" });
      map.append(anchor);
      anchor.click();
      anchor.remove();
      setTimeout(() => URL.revokeObjectURL(link), 60000);
      const lost = listed.size - known.length;
      find("count").textContent = `map-pairs.csv has ${number(known.length)} pairs.${lost ? ` ${number(lost)} are left out, because no file of ids can hold their id.` : ""}`;
    };

    // Pointer: hover or tap shows a pair, a drag draws a lasso.
    const spot = (event) => {
      const box = svg.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const nearest = ([x, y]) => {
      let best = -1, least = NEAR_PX ** 2;
      for (let row = 0; row < n; row++) {
        const far = (at[row][0] - x) ** 2 + (at[row][1] - y) ** 2;
        if (far < least && matches(row)) [best, least] = [row, far];
      }
      return best;
    };
    place.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      isDown = true;
      rest = spot(event);
      if (event.pointerType !== "touch" || lasso.getAttribute("aria-pressed") === "true") {
        path = [rest];
        place.setPointerCapture(event.pointerId);
      }
    });
    place.addEventListener("pointermove", (event) => {
      const here = spot(event), last = path?.at(-1);
      if (path) {
        if ((here[0] - last[0]) ** 2 + (here[1] - last[1]) ** 2 < 9) return;
        path.push(here);
        mark();
      } else if (event.pointerType === "mouse") {
        const row = nearest(here);
        if (row >= 0) show(row);
      }
    });
    const end = (event) => {
      if (!isDown) return;
      const drawnPath = path, row = nearest(rest);
      [path, isDown] = [null, false];
      if (event.type === "pointercancel") return mark();
      if (drawnPath && drawnPath.length > 3) list(matching().filter((each) => inside(drawnPath, ...at[each])));
      else if (row >= 0) show(row);
      mark();
    };
    place.addEventListener("pointerup", end);
    place.addEventListener("pointercancel", end);
    lasso.addEventListener("click", () => {
      const isOn = lasso.getAttribute("aria-pressed") !== "true";
      lasso.setAttribute("aria-pressed", String(isOn));
      place.classList.toggle("is-lasso", isOn);
    });

    // Keys: the arrows lead to the nearest mark in their direction.
    const WAYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
    const next = ([dx, dy]) => {
      const rows = matching();
      if (current < 0 || !rows.includes(current)) return rows[0] ?? -1;
      const [x, y] = at[current];
      let best = current, least = Infinity;
      for (const row of rows) {
        const along = (at[row][0] - x) * dx + (at[row][1] - y) * dy, across = Math.abs((at[row][0] - x) * dy) + Math.abs((at[row][1] - y) * dx);
        const cost = along + 2 * across;
        if (along > 0 && cost < least) [best, least] = [row, cost];
      }
      return best;
    };
    place.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (WAYS[event.key]) { const row = next(WAYS[event.key]); if (row >= 0) show(row); }
      else if ((event.key === "Enter" || event.key === " ") && current >= 0) toggle(current);
      else if (event.key === "Escape") list([]);
      else return;
      event.preventDefault();
    });

    for (const each of [marks, ...filters]) each.addEventListener("change", draw);
    find("list").addEventListener("click", () => list(matching()));
    find("clear").addEventListener("click", () => { list([]); place.focus(); });
    find("save").addEventListener("click", save);
    map.hidden = false;
    map.parentElement.querySelector("[data-without-script]").remove();
    new ResizeObserver(draw).observe(place);
    draw();
  };

  const map = document.getElementById("pair-map"), source = document.getElementById("map-data");
  if (map) start(map, JSON.parse(source.textContent));
}
