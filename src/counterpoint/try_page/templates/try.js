"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const form = byId("form"), text = byId("text"), file = byId("picture"), result = byId("result");
  const FIRST_CLASSES = 10, SMALLEST_SCALE = 0.05, SMALLEST_SHOWN = 0.005, MOST_MAP_REM = 28;
  let picture = null, preview = "", isBusy = false, hasAnswer = false;

  history.replaceState(null, "", "/"); // the token is used up, and the address can be read over a shoulder

  function made(tag, className, content) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (content !== undefined) element.textContent = content;
    return element;
  }

  function complain(line) {
    byId("error").textContent = line;
  }

  function choose(chosen) {
    const most = Number(document.body.dataset.mostBytes);
    complain("");
    if (chosen && chosen.size > most) {
      complain(`The picture has ${chosen.size.toLocaleString("en")} bytes; at most ${most.toLocaleString("en")} are allowed.`);
      return;
    }
    if (preview) URL.revokeObjectURL(preview);
    picture = chosen;
    preview = chosen ? URL.createObjectURL(chosen) : "";
    const image = byId("preview");
    image.hidden = !chosen;
    byId("drop-hint").hidden = Boolean(chosen);
    const files = new DataTransfer(); // so that the field names a picture that was dropped or pasted
    if (chosen) files.items.add(chosen);
    file.files = files.files;
    if (chosen) image.src = preview;
    else image.removeAttribute("src");
    markStale();
  }

  function markStale() {
    if (hasAnswer) result.classList.add("stale");
  }

  function body() {
    const data = new FormData();
    data.append("text", new Blob([text ? text.value : ""], { type: "text/plain" }), "text");
    if (picture) data.append("picture", picture, "picture");
    return data;
  }

  async function predict() {
    if (isBusy) return;
    isBusy = true;
    byId("predict").disabled = true;
    complain("");
    byId("status").textContent = "The model predicts …";
    const shown = picture && URL.createObjectURL(picture); // its own address: the preview may be blanked meanwhile
    try {
      const answer = await fetch("/predict", { method: "POST", body: body() });
      const found = await answer.json();
      if (answer.ok) show(found, shown);
      else fail(found.error);
    } catch {
      fail("The page has no answer from counterpoint try. Does it still run in the terminal?");
    }
    isBusy = false;
    byId("predict").disabled = false;
  }

  function fail(line) {
    complain(line);
    byId("status").textContent = hasAnswer ? "The last prediction stays below." : "No prediction yet.";
    markStale();
  }

  function show(found, shown) {
    hasAnswer = true;
    result.classList.remove("stale");
    byId("answer").hidden = false;
    const chosen = found.classes.find((each) => each.is_predicted);
    byId("status").textContent = "Prediction";
    byId("sentence").hidden = false;
    byId("sentence").replaceChildren(made("bdi", "", found.label), `: ${chosen.shown}`);
    byId("rule").hidden = !found.rule;
    byId("rule").textContent = found.rule;
    byId("flags").hidden = !found.flags.length;
    byId("flags").replaceChildren(...found.flags.map((line) => made("li", "", line)));
    showClasses(found);
    showEffects(found, shown);
    if (result.getBoundingClientRect().top > innerHeight - 120) result.scrollIntoView(); // on a phone it is below
  }

  function showClasses(found) {
    const rows = found.classes.map((each) => {
      const row = made("li", each.is_predicted ? "chosen" : "");
      const track = made("span", "track"), bar = made("span", "bar");
      bar.style.width = `${100 * each.chance}%`;
      track.append(bar);
      row.append(made("bdi", "", each.name), made("span", "", each.shown), track);
      return row;
    });
    byId("classes").replaceChildren(...rows.slice(0, FIRST_CLASSES));
    const more = byId("more"), rest = rows.slice(FIRST_CLASSES);
    more.hidden = !rest.length;
    more.querySelector("summary").textContent = `${rest.length} further classes`;
    more.querySelector("ol").replaceChildren(...rest);
  }

  function showEffects(found, shown) {
    byId("effects").hidden = !found.modalities.length && !found.words.length && !found.patches.length;
    byId("label").textContent = found.label;
    const names = { text: "the whole text", image: "the whole picture" };
    showList("modalities", found.modalities.map((each) => ({ ...each, name: names[each.name] })));
    showList("words", found.words);
    byId("words").querySelector("ol").dir = text && getComputedStyle(text).direction;
    byId("words").querySelector(".hint").textContent =
      found.n_words > found.words.length ? `The first ${found.words.length} of ${found.n_words.toLocaleString("en")} words.` : "";
    showPatches(found, shown);
  }

  function scaleOf(parts) {
    return Math.max(SMALLEST_SCALE, ...parts.map((each) => Math.abs(each.effect)));
  }

  function marked(element, effect, scale) {
    if (Math.abs(effect) >= SMALLEST_SHOWN) element.classList.add(effect > 0 ? "up" : "down");
    element.style.setProperty("--weight", String(Math.abs(effect) / scale));
    return element;
  }

  function showList(id, parts) {
    const scale = scaleOf(parts);
    byId(id).hidden = !parts.length;
    byId(id).querySelector("ol").replaceChildren(...parts.map((each) => {
      const item = marked(made("li"), each.effect, scale);
      const number = made("small", "", each.shown);
      number.dir = "ltr"; // the sign stays in front, also between words from right to left
      item.append(made("bdi", "", each.name), " ", number);
      return item;
    }));
  }

  function showPatches(found, shown) {
    const scale = scaleOf(found.patches);
    const place = byId("patches"), image = place.querySelector("img"), n = found.grid;
    if (image.src) URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
    place.hidden = !found.patches.length;
    if (place.hidden) return;
    image.onload = () => {
      image.parentElement.style.maxWidth = `min(100%, ${(MOST_MAP_REM * image.naturalWidth) / image.naturalHeight}rem)`;
    };
    image.src = shown;
    place.querySelector(".cells").replaceChildren(...found.patches.map((each) => {
      const cell = marked(made("span"), each.effect, scale);
      if (Math.abs(each.effect) >= SMALLEST_SHOWN) cell.append(made("b", "", each.shown));
      return cell;
    }));
    place.querySelector("tbody").replaceChildren(...Array.from({ length: n }, (_, row) => {
      const line = made("tr"), head = made("th", "", `Row ${row + 1} of ${n}`);
      head.scope = "row";
      line.append(head, ...found.patches.slice(row * n, row * n + n).map((each) => made("td", "", each.shown)));
      return line;
    }));
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    predict();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) predict();
  });
  for (const button of document.querySelectorAll("[data-blank]")) {
    button.addEventListener("click", () => {
      if (button.dataset.blank === "text") text.value = "";
      else choose(null);
      if (hasAnswer) predict();
    });
  }
  if (text) text.addEventListener("input", markStale);
  if (file) {
    const drop = byId("drop");
    byId("preview").addEventListener("error", () => {
      byId("preview").hidden = true; // the answer gives the reason
    });
    file.addEventListener("change", () => file.files.length && choose(file.files[0]));
    for (const name of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", name === "dragover");
        if (name === "drop" && event.dataTransfer.files.length) choose(event.dataTransfer.files[0]);
      });
    }
    for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
    window.addEventListener("paste", (event) => {
      const pasted = event.clipboardData.files;
      if (pasted.length) choose(pasted[0]);
    });
  }
})();
