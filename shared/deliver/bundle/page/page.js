// The page: takes a bundle and a key, shows what came of it. No state but what is on the screen.

const byId = (id) => document.getElementById(id);
let chosen = null; // {zip: File} or {folder: File[]}
let busy = false;

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function choose(next, words) {
  chosen = next;
  byId("chosen").textContent = words;
  byId("check").disabled = false;
  clear();
}

function clear() {
  byId("answer").replaceChildren();
  byId("answer").className = "";
  byId("details").replaceChildren();
}

// `total`: how many things the lines and the `unlisted` stand for.
function section(title, lines, total = lines.length, unlisted = 0) {
  if (!lines.length) return null;
  const made = element("details", undefined, { open: "" });
  made.append(element("summary", `${title} (${total.toLocaleString("en")})`));
  const list = element("ul");
  for (const line of lines) list.append(element("li", line));
  if (unlisted) list.append(element("li", `… and ${unlisted.toLocaleString("en")} more: verify.py names them`));
  made.append(list);
  return made;
}

// One sentence, and which colour it has. Only a signature that was checked with the reader's key makes it good.
function conclusion(report, signed) {
  const { problems, gaps } = report.counts;
  if (problems) return ["bad", `Not intact: ${many(problems, "thing")} ${problems === 1 ? "was" : "were"} changed, cut off or left out.`];
  const whole = gaps ? `but incomplete: ${many(gaps, "gap")} in what was collected` : report.counts.unscheduled ? "and holds all that was planned" : "and complete";
  const planned = "Verified: intact, all that was planned is there, and signed by the key that you gave. That no sweep is missing cannot be said without a schedule.";
  if (signed && !gaps && report.counts.unscheduled) return ["good", planned];
  if (signed) return [gaps ? "gap" : "good", gaps ? `Verified: intact, ${whole}.` : "Verified: intact and complete, and signed by the key that you gave."];
  const why = signed === null ? "this browser cannot check its signature" : "no key was given, so who made it was not checked";
  return ["gap", `Not verified: the bundle is consistent in itself ${whole}, but ${why}.`];
}

function show(kind, sentence, small) {
  const answer = byId("answer");
  answer.className = kind;
  answer.replaceChildren(element("p", sentence, { class: "sentence" }));
  if (small) answer.append(element("p", small, { class: "small" }));
}

async function progress(what, done, total) {
  byId("bar").value = total ? done / total : 0;
  byId("doing").textContent = `${what}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")}`;
  await new Promise((resolve) => { setTimeout(resolve); });
}

async function run() {
  if (!chosen || busy) return;
  busy = true;
  clear();
  byId("progress").hidden = false;
  byId("check").disabled = true;
  const report = new Report(), started = performance.now();
  try {
    if (!globalThis.crypto?.subtle) throw new Refused("this browser does not let a page check signatures from disk: use verify.py, or another browser");
    const keys = byId("key").value.split("\n").filter((line) => line.trim()).map(parseKey);
    const source = chosen.zip ? await ZipSource.open(chosen.zip, report) : new FolderSource(chosen.folder, report);
    const { bundle, signed } = await verify(source, keys, report, progress);
    const [kind, sentence] = conclusion(report, signed);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    show(kind, sentence, `Log ${shown(bundle.origin)}, ${many(report.counts.records, "record")} proven in ${seconds} s. Name of the bundle (SHA-256 of its manifest): ${bundle.identity}`);
    const parts = [
      section("Problems", report.problems, report.counts.problems, report.unlisted("problems")), section("Not collected", report.rarestFirst(), report.counts.gaps, report.unlisted("gaps")),
      section("Checked", report.checked), section("Not checked here", report.unchecked), section("Worth knowing", report.notes),
    ];
    byId("details").replaceChildren(...parts.filter(Boolean));
    const own = byId("bundle") && JSON.parse(byId("bundle").textContent); // the portal's page came with none
    if (own && (own.origin !== bundle.origin || own.size !== bundle.size || own.from !== bundle.period[0])) byId("details").prepend(element("p", "This is another bundle than the one that this page came with.", { class: "small" }));
  } catch (error) {
    const unreadable = error instanceof DOMException; // moved, changed or taken away since it was chosen
    if (!(error instanceof Refused) && !unreadable) console.error(error);
    const words = error instanceof Refused ? error.message : `the file could not be read (${error.name}): choose it again`;
    show("bad", `Nothing can be said: ${words}`.replace(/\.?$/, "."));
    byId("details").replaceChildren(...[section("Problems", report.problems, report.counts.problems, report.unlisted("problems"))].filter(Boolean));
  } finally {
    busy = false;
    byId("progress").hidden = true;
    byId("check").disabled = false;
    byId("answer").focus();
  }
}

async function takeFiles(files) {
  for (const file of files) {
    if (file.size < 100000 && !file.name.endsWith(".zip")) {
      byId("key").value = (await file.text()).trim();
      clear();
    } else choose({ zip: file }, `${file.name}, ${Math.max(1, Math.round(file.size / 1024)).toLocaleString("en")} KB`);
  }
}

byId("zip").addEventListener("change", (event) => { if (event.target.files.length) choose({ zip: event.target.files[0] }, event.target.files[0].name); });
byId("folder").addEventListener("change", (event) => { if (event.target.files.length) choose({ folder: [...event.target.files] }, `a folder with ${many(event.target.files.length, "file")}`); });
byId("keyfile").addEventListener("change", (event) => { if (event.target.files.length) takeFiles(event.target.files); });
byId("key").addEventListener("input", clear);
byId("form").addEventListener("submit", (event) => { event.preventDefault(); run(); });
for (const type of ["dragenter", "dragover"]) document.addEventListener(type, (event) => { event.preventDefault(); document.body.classList.add("over"); });
for (const type of ["dragleave", "drop"]) document.addEventListener(type, (event) => { event.preventDefault(); document.body.classList.remove("over"); });
document.addEventListener("drop", (event) => { takeFiles(event.dataTransfer.files); });
document.documentElement.classList.add("alive");
