"use strict";
// Draws the data of the page. Text of the user gets into the document as text only, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const seen = { classes: new Set(data.classes.map((_, n) => n)), medium: "", score: 0, differences: false, labels: true };

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shape(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Neighbouring numbers get colours far apart.
const colour = (n) => `hsl(${(n * 137.508) % 360} 85% 52%)`;

function number(text) {
  let sum = 7;
  for (const letter of text) sum = (sum * 31 + letter.codePointAt(0)) % 100003;
  return sum;
}

const colourOf = (object) => colour(object.t === null ? object.c : number(object.t));

// px of the frame that make a line of one px in a picture of usual width.
const unitOf = (frame) => Math.max(frame.w, frame.h) / 400;

function arrow(x, y, w, h, unit) {
  const tip = x + w, middle = y + h / 2, head = Math.min(8 * unit, w / 3);
  return `M${x + w / 2} ${middle}H${tip}M${tip - head} ${middle - head}L${tip} ${middle}L${tip - head} ${middle + head}`;
}

function dots(object, unit) {
  const made = [], flags = object.v || [];
  for (let n = 0; n < object.d.length / 2; n++) {
    if (flags[n] === 0) continue;
    const hidden = flags[n] === 1 || flags[n] === 3;
    made.push(shape("circle", { cx: object.d[2 * n], cy: object.d[2 * n + 1], r: 1.8 * unit, class: hidden ? "hidden" : "dot" }));
  }
  for (const [from, to] of object.k === "skeleton" ? data.classes[object.c].edges : []) {
    if (flags[from] === 0 || flags[to] === 0 || 2 * Math.max(from, to) >= object.d.length) continue;
    const [x1, y1, x2, y2] = [from, to].flatMap((n) => [object.d[2 * n], object.d[2 * n + 1]]);
    made.push(shape("line", { x1, y1, x2, y2 }));
  }
  return made;
}

function outline(object, unit) {
  const turn = (box) => (object.a ? { transform: `rotate(${object.a} ${box[0] + box[2] / 2} ${box[1] + box[3] / 2})` } : {});
  switch (object.k) {
    case "bounding_box":
    case "rotatable_bounding_box": {
      const [x, y, width, height] = object.d;
      const made = [shape("rect", { x, y, width, height, ...turn(object.d) })];
      // Where the right side of the box is after it is turned.
      if (object.k !== "bounding_box") made.push(shape("path", { d: arrow(...object.d, unit), class: "arrow", ...turn(object.d) }));
      return made;
    }
    case "circle":
    case "ellipse": {
      const [x, y, w, h] = object.d;
      return [
        shape("ellipse", { cx: x + w / 2, cy: y + h / 2, rx: w / 2, ry: h / 2, ...turn(object.d) }),
        shape("path", { d: arrow(x, y, w, h, unit), class: "arrow", ...turn(object.d) }),
      ];
    }
    case "point":
    case "skeleton":
      return dots(object, unit);
    default:
      return [shape("path", { d: object.d, "fill-rule": "evenodd", class: object.k })];
  }
}

function label(object, unit) {
  const words = [data.classes[object.c].name];
  if (object.t !== null) words.push(`#${object.t}`);
  if (object.s !== null) words.push(object.s.toFixed(2));
  if (object.a) words.push(`${object.a.toFixed(0)}°`);
  return words.join(" ");
}

function draw(object, frame) {
  const unit = unitOf(frame);
  const compared = data.sides.length > 1;
  const group = shape("g", {
    class: ["object", object.m || "", compared && !object.m ? "equal" : ""].join(" "),
    style: `--colour: ${colourOf(object)}; --unit: ${unit}`,
  });
  group.append(shape("title", {}, label(object, unit) + (object.m ? ` (${object.m})` : "")), ...outline(object, unit));
  if (object.b !== null && seen.labels && (!compared || object.m)) {
    const [left, top] = object.b;
    const y = Math.max(top - 2 * unit, 9 * unit);
    group.append(shape("text", { x: Math.max(left, 0), y, "font-size": 9 * unit }, label(object, unit)));
  }
  return group;
}

const isShown = (object) => seen.classes.has(object.c) && (object.s === null ? 1 : object.s) >= seen.score;

function picture(frame, objects, view) {
  const box = view || [0, 0, frame.w, frame.h];
  const made = shape("svg", { viewBox: box.join(" "), role: "img" });
  made.append(shape("rect", { x: 0, y: 0, width: frame.w, height: frame.h, class: "canvas" }));
  if (frame.img) {
    made.append(shape("image", { href: frame.img, width: frame.w, height: frame.h, preserveAspectRatio: "none" }));
  }
  // The largest first, so that it hides no other.
  const area = (object) => (object.b === null ? 0 : (object.b[2] - object.b[0]) * (object.b[3] - object.b[1]));
  made.append(...objects.filter(isShown).sort((a, b) => area(b) - area(a)).map((object) => draw(object, frame)));
  return made;
}

function card(frame) {
  const made = element("figure", { class: "card" });
  const pictures = element("div", { class: "sides" });
  frame.sides.forEach((objects, n) => {
    const side = element("div", {}, picture(frame, objects));
    const more = frame.more[n] ? `, ${frame.more[n]} more not drawn` : "";
    if (data.sides.length > 1) side.append(element("small", {}, `${data.sides[n].name}: ${objects.length} objects${more}`));
    else if (more) side.append(element("small", {}, `${objects.length} objects${more}`));
    pictures.append(side);
  });
  const words = [`${data.media[frame.m]} · frame ${frame.f}`];
  const caption = element("figcaption", {}, element("b", {}, words.join(" ")));
  if (frame.d) caption.append(" ", element("span", { class: "differs" }, `${frame.d} ${frame.d === 1 ? "difference" : "differences"}`));
  if (frame.why.length) caption.append(element("small", {}, frame.why.join(" · ")));
  if (frame.note) caption.append(element("small", { class: "differs" }, frame.note));
  made.append(pictures, caption);
  pictures.addEventListener("click", () => enlarge(frame));
  return made;
}

function enlarge(frame) {
  const dialog = document.querySelector("dialog");
  dialog.replaceChildren(...frame.sides.map((objects) => picture(frame, objects)));
  dialog.showModal();
}

function strip(track) {
  const made = element("div", { class: "strip" });
  const boxes = [];
  const found = track.frames.map((n) => {
    const object = data.frames[n].sides[track.side].find((item) => item.t === track.t && item.c === track.c);
    if (object && object.b) boxes.push(object.b);
    return object;
  });
  if (!boxes.length) return made;
  // All of a strip has one scale: the largest box of the track with room around it.
  const side = 1.6 * Math.max(...boxes.map(([left, top, right, bottom]) => Math.max(right - left, bottom - top, 1)));
  track.frames.forEach((n, at) => {
    const frame = data.frames[n], object = found[at];
    if (!object || !object.b || !isShown(object)) return;
    const [left, top, right, bottom] = object.b;
    const view = [(left + right - side) / 2, (top + bottom - side) / 2, side, side];
    const cell = element("div", { class: "cell" }, picture(frame, [object], view), element("small", {}, `frame ${frame.f}`));
    cell.addEventListener("click", () => enlarge(frame));
    made.append(cell);
  });
  return made;
}

function render() {
  const frames = data.frames.filter(
    (frame) =>
      frame.grid &&
      (seen.medium === "" || frame.m === Number(seen.medium)) &&
      (!seen.differences || frame.d) &&
      (frame.sides.some((objects) => objects.some(isShown)) || !frame.sides.some((objects) => objects.length)),
  );
  document.getElementById("frames").replaceChildren(...frames.map(card));
  document.getElementById("shown").textContent = `${frames.length} of ${data.frames.filter((frame) => frame.grid).length} frames`;
  const tracks = data.tracks.filter((track) => seen.classes.has(track.c) && (seen.medium === "" || track.m === Number(seen.medium)));
  document.getElementById("tracks").replaceChildren(
    ...tracks.map((track) => {
      const name = element("b", { style: `color: ${colour(number(track.t))}` }, `${data.classes[track.c].name} #${track.t}`);
      const about = ` ${data.media[track.m]}, ${track.n} frames${data.sides.length > 1 ? `, ${data.sides[track.side].name}` : ""}`;
      return element("div", { class: "track" }, element("div", {}, name, about), strip(track));
    }),
  );
}

function controls() {
  const bar = document.getElementById("controls");
  const classes = element("div", { class: "classes" });
  data.classes.forEach((item, n) => {
    const box = element("input", { type: "checkbox", checked: "" });
    box.addEventListener("change", () => {
      if (box.checked) seen.classes.add(n);
      else seen.classes.delete(n);
      render();
    });
    const dot = element("span", { class: "swatch", style: `background: ${colour(n)}` });
    classes.append(element("label", {}, box, dot, `${item.name} (${item.n.toLocaleString("en")})`));
  });
  const medium = element("select", { id: "medium" }, element("option", { value: "" }, "all media"));
  data.media.forEach((name, n) => medium.append(element("option", { value: n }, name)));
  medium.addEventListener("change", () => { seen.medium = medium.value; render(); });
  const score = element("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0, id: "score" });
  const told = element("output", {}, "0.00");
  score.addEventListener("input", () => { seen.score = Number(score.value); told.textContent = seen.score.toFixed(2); render(); });
  const row = element("div", {}, element("label", {}, "medium ", medium), element("label", {}, "score at least ", score, told));
  const boxes = [["labels", "labels", true]];
  if (data.sides.length > 1) boxes.push(["differences", "only frames with differences", false]);
  for (const [key, text, checked] of boxes) {
    const box = element("input", { type: "checkbox", id: key, ...(checked ? { checked: "" } : {}) });
    box.addEventListener("change", () => { seen[key] = box.checked; render(); });
    row.append(element("label", {}, box, text));
  }
  row.append(element("span", { id: "shown" }));
  bar.append(row, classes);
}

controls();
render();
document.querySelector("dialog").addEventListener("click", (event) => event.currentTarget.close());
