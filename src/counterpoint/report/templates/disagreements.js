// The disagreement browser. Its rows are read when it is opened, and data become text, never markup.
{
  const READERS = ["text", "image", "both"], MORE = 24;
  const CELLS = ["both right", "text right, image wrong", "text wrong, image right", "both wrong"];
  const OUTCOMES = { lost: "lost", rescued: "rescued", missed: "never right", kept: "kept" };

  const element = (name, content, properties) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...(Array.isArray(content) ? content : [content]));
    return made;
  };
  const csv = (rows) => rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(",") + "\n").join("");
  const number = (n) => n.toLocaleString("en");

  const browse = (place, data) => {
    const find = (selector) => place.querySelector(selector), n = data.id.length;
    const cards = find("[data-cards]"), status = find("[data-count]"), more = find("[data-more]"), search = find("[data-search]");
    const filters = [...place.querySelectorAll("[data-filter]")], order = find("[data-order]");
    const ticked = new Set(), labels = new Map(), made = new Map();
    const words = data.text.map((text, row) => `${text ?? ""} ${data.name[row]}`.normalize().toLowerCase());
    let found = [], shown = MORE;

    const holds = {
      cell: (row, value) => data.cell[row] === value,
      outcome: (row, value) => data.outcome[row] === value,
      label: (row, value) => data.label[row] === value,
      finding: (row, value) => data.findings[row].includes(value),
      segment: (row, value) => data.segments[row].includes(value),
    };
    const tests = () => {
      const set = filters.filter((filter) => filter.value !== "").map(({ dataset: { filter }, value }) => {
        if (filter !== "confidence") return (row) => holds[filter](row, Number(value));
        const [low, high] = value.split(" ").map(Number);
        return (row) => data.confidence[2][row] >= low && data.confidence[2][row] < high;
      });
      const terms = search.value.normalize().toLowerCase().split(/\s+/).filter(Boolean);
      return terms.length ? [...set, (row) => terms.every((term) => words[row].includes(term))] : set;
    };

    const reading = (reader, row) => {
      const predicted = data.predicted[reader][row], isRight = predicted === data.label[row];
      const name = element("bdi", data.class_names[predicted]), share = Math.round(100 * data.confidence[reader][row]);
      const mark = element("span", isRight ? "✓" : "✗", { className: isRight ? "right" : "wrong" });
      mark.setAttribute("aria-hidden", "true");
      const spoken = element("span", isRight ? "right: " : "wrong: ", { className: "unseen" });
      return element("p", [mark, " ", `${READERS[reader]}: `, spoken, name, ` ${share}%`]);
    };
    const picture = (row) => {
      if (data.picture[row] < 0) return element("span", data.has_image[row] ? "image not shown" : "no image", { className: "no-picture" });
      return element("img", [], { src: data.pictures[data.picture[row]], alt: "", width: 96, height: 96, decoding: "async" });
    };
    const outcome = (row) => data.outcomes[data.outcome[row]];
    const about = (row) => {
      const parts = [element("bdi", data.name[row]), ...data.findings[row].map((each) => ` · ${data.finding_names[each]}`)];
      if (data.length[row]) parts.push(` · cut, ${number(data.length[row])} characters in all`);
      if (labels.has(row)) parts.push(" · new label ", element("b", element("bdi", data.class_names[labels.get(row)])));
      return parts;
    };
    const card = (row) => {
      if (made.has(row)) return made.get(row);
      const kind = outcome(row), box = element("input", [], { type: "checkbox", tabIndex: -1, checked: ticked.has(row) });
      box.dataset.row = row;
      box.setAttribute("aria-label", `Tick ${data.name[row]}: ${OUTCOMES[kind]}, alone ${CELLS[data.cell[row]]}`);
      const facts = element("div", [
        element("p", OUTCOMES[kind], { className: `outcome ${kind}` }),
        element("p", ["class: ", element("bdi", data.class_names[data.label[row]])]),
        ...READERS.map((_, reader) => reading(reader, row)),
      ]);
      const text = element("p", data.text[row] ?? element("em", "no text"), { className: "words", dir: "auto" });
      const item = element("li", [element("label", [picture(row), box]), facts, text, element("p", about(row), { className: "about" })]);
      made.set(row, item);
      return item;
    };

    const boxes = () => [...cards.querySelectorAll("input")];
    const show = () => {
      cards.replaceChildren(...found.slice(0, shown).map(card));
      const all = boxes();
      all.forEach((box, at) => { box.tabIndex = at ? -1 : 0; });
      more.hidden = shown >= found.length;
      more.textContent = `Show ${number(Math.min(MORE, found.length - shown))} more`;
      const rest = all.length < found.length ? `, the first ${number(all.length)} are shown` : "";
      status.textContent = found.length ? `${number(found.length)} of ${number(n)} pairs match${rest}.` : "No pair matches.";
    };
    const filter = () => {
      const passed = tests(), way = Number(order.value);
      found = [];
      for (let row = 0; row < n; row++) if (passed.every((test) => test(row))) found.push(row);
      if (way) found.sort((a, b) => way * (data.confidence[2][a] - data.confidence[2][b]) || a - b);
      shown = MORE;
      show();
    };
    const clear = () => {
      for (const each of filters) each.value = "";
      search.value = "";
      order.value = "0";
    };

    // Keys: one card can be reached with Tab, the arrows lead to the others.
    const goTo = (box) => {
      for (const each of boxes()) each.tabIndex = -1;
      box.tabIndex = 0;
      box.focus();
    };
    const perLine = (all) => {
      const top = (box) => box.closest("li").offsetTop, first = top(all[0]);
      const next = all.findIndex((box) => top(box) !== first);
      return next < 0 ? all.length : next;
    };
    const target = (key, at, all) => ({
      ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + perLine(all), ArrowUp: at - perLine(all), Home: 0, End: all.length - 1,
    })[key];
    cards.addEventListener("keydown", (event) => {
      if (event.target.type !== "checkbox" || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key === "Escape") filters[0].focus();
      let all = boxes();
      const at = all.indexOf(event.target), to = target(event.key, at, all);
      if (to === undefined) return;
      event.preventDefault();
      if (to >= all.length && shown < found.length) { shown += MORE; show(); all = boxes(); }
      goTo(all[to] ?? all[to < 0 ? at : all.length - 1]);
    });
    cards.addEventListener("focusin", (event) => {
      if (event.target.type === "checkbox") for (const box of boxes()) box.tabIndex = box === event.target ? 0 : -1;
    });
    search.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && search.value) { event.preventDefault(); search.value = ""; filter(); }
    });

    // Lists to save.
    const note = (text) => { find("[data-saved]").textContent = text; };
    const counts = () => {
      for (const [name, rows] of [["exclude", ticked], ["relabel", labels]]) {
        find(`[data-n=${name}]`).textContent = number(rows.size);
        find(`[data-save=${name}]`).disabled = !rows.size;
      }
      find("[data-untick]").disabled = find("[data-relabel]").disabled = !ticked.size;
    };
    const save = (name, setting, rows) => {
      const link = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" }));
      const anchor = element("a", [], { href: link, download: name });
      place.append(anchor);
      anchor.click();
      anchor.remove();
      setTimeout(() => URL.revokeObjectURL(link), 60000);
      note(`${name} has ${number(rows.length - 1)} pair${rows.length === 2 ? "" : "s"}. Put it next to the study file and write in that: ${setting}: ${name}`);
    };
    const tick = (row, isOn) => {
      if (isOn) ticked.add(row); else ticked.delete(row);
      const box = made.get(row)?.querySelector("input");
      if (box) box.checked = isOn;
    };
    cards.addEventListener("change", ({ target: box }) => {
      const row = Number(box.dataset.row), isLost = box.checked && data.id[row] === null;
      tick(row, box.checked && !isLost);
      if (isLost) note(`${data.name[row]} cannot be ticked: no file of ids can hold its id.`);
      counts();
    });
    find("[data-untick]").addEventListener("click", () => { for (const row of [...ticked]) tick(row, false); counts(); });
    find("[data-relabel]").addEventListener("click", () => {
      const value = find("[data-label]").value;
      for (const row of ticked) {
        const label = value === "" ? data.predicted[2][row] : Number(value);
        if (label === data.label[row]) labels.delete(row); else labels.set(row, label);
        made.get(row)?.querySelector(".about").replaceChildren(...about(row));
      }
      counts();
      note(`${number(labels.size)} of the pairs on this page ${labels.size === 1 ? "has" : "have"} a new label.`);
    });
    find("[data-save=exclude]").addEventListener("click", () => {
      save("exclude.csv", "exclude", [["id"], ...[...ticked].sort((a, b) => a - b).map((row) => [data.id[row]])]);
    });
    find("[data-save=relabel]").addEventListener("click", () => {
      const rows = [...labels].sort((a, b) => a[0] - b[0]).map(([row, label]) => [data.id[row], data.classes[label]]);
      save("relabel.csv", "relabel", [["id", "label"], ...rows]);
    });
    for (const button of place.querySelectorAll("[data-queue]")) {
      const { code, setting, ids, labels: given } = data.queues[Number(button.dataset.queue)];
      const rows = given ? [["id", "label"], ...ids.map((id, at) => [id, given[at]])] : [["id"], ...ids.map((id) => [id])];
      button.addEventListener("click", () => save(`${code}-${setting}.csv`, setting, rows));
    }

    for (const each of [...filters, order]) each.addEventListener("change", filter);
    search.addEventListener("input", filter);
    find("[data-clear]").addEventListener("click", () => { clear(); filter(); });
    more.addEventListener("click", () => {
      const before = shown;
      shown += MORE;
      show();
      goTo(boxes()[before]);
    });
    for (const link of document.querySelectorAll("a[data-cell]")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        clear();
        find("[data-filter=cell]").value = data.cells.indexOf(link.dataset.cell);
        find("[data-filter=outcome]").value = data.outcomes.indexOf(link.dataset.outcome);
        filter();
        place.open = true;
        place.scrollIntoView();
        boxes()[0]?.focus({ preventScroll: true });
      });
    }
    filter();
    find("[data-without-script]").remove();
    find("[data-with-script]").hidden = false;
  };

  const place = document.getElementById("disagreement-browser"), source = document.getElementById("disagreement-rows");
  if (place) {
    const start = () => {
      if (!place.dataset.isRead) browse(place, JSON.parse(source.textContent));
      place.dataset.isRead = "yes";
    };
    place.addEventListener("toggle", start);
    // The first click on a count reads the rows, and then does what later clicks do.
    document.addEventListener("click", (event) => { if (event.target.closest?.("a[data-cell]")) start(); }, { capture: true });
  }
}
