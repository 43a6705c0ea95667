// What each sweep should hold, and which sweeps the period should hold.

// The plan has a unit for everything that Azure named in its scope, and for nothing else.
function population(examiner, index, sweep) {
  const { plan } = sweep, { scope } = plan, say = (reason) => examiner.report.problem(reason, { record: index });
  const units = new Set(plan.units.map((unit) => unit.resource)), only = scope.resources;
  if (units.size !== plan.units.length || sweep.asked.size !== plan.units.length) say("the plan names a unit, or a resource, twice");
  const good = sweep.planning.filter(([, answer]) => !answer.failed).map(([, answer]) => answer);
  const listing = good.find((answer) => answer.kind === "subscriptions" && answer.resource === "");
  let seen = null;
  if (listing) {
    const ids = examiner.items(listing).map((item) => item.subscriptionId || String(item.id ?? "").split("/").pop());
    seen = new Set(ids.filter((id) => typeof id === "string" && /^[0-9A-Za-z_-]{1,64}$/.test(id)).map((id) => id.toLowerCase()));
  }
  const same = (said, found) => (said === null || found === null ? said === found : said.length === found.size && said.every((one) => found.has(one)));
  if (plan.seen !== undefined && !same(plan.seen === null ? null : [...new Set(plan.seen)], seen)) say("does not name the subscriptions that Azure's answer names as seen");
  const subscriptions = only !== null ? only.filter((one) => one.split("/").length > 2).map((one) => one.split("/")[2]) : scope.subscriptions ?? [...(seen ?? [])];
  const named = new Set([...subscriptions.map((one) => `/subscriptions/${one}`), ...(only ?? [])]);
  const kinds = new Set(scope.kinds.map((kind) => kind.toLowerCase()));
  for (const answer of good.filter((each) => each.kind === "accounts")) {
    for (const { id, kind } of examiner.items(answer)) {
      const one = typeof id === "string" && typeof kind === "string" && kinds.has(kind.toLowerCase()) ? id.toLowerCase() : "";
      if (one.startsWith(`${answer.resource}/`) && (only === null || only.includes(one))) named.add(one);
    }
  }
  // What a list names and cannot be an account has a failure of its own.
  for (const [, answer] of sweep.planning) if (answer.kind === "account" && !units.has(answer.resource)) named.delete(answer.resource);
  for (const one of sorted(named)) if (!units.has(one)) say(`${one} is in scope, and the plan has no unit for it`);
  for (const one of sorted(units)) if (!named.has(one)) say(`the plan has a unit for ${one}, which neither the scope nor an answer of Azure names`);
  const asked = new Set(sweep.planning.filter(([, answer]) => answer.kind === "accounts").map(([unit, answer]) => pair(unit, answer.resource)));
  for (const { unit, resource } of plan.units) {
    if (resource.split("/").length === 3 && named.has(resource) && !asked.has(pair(unit, resource))) say(`the accounts of ${resource} were not asked for`);
  }
}

// Every planned question has one answer, of the unit itself or of one of the projects that it names.
function questions(examiner, sweep, name, index) {
  const { resource: account, asked } = sweep.asked.get(name), answers = sweep.units.get(name), kinds = sweep.plan.questions[asked];
  if (!kinds) {
    examiner.report.problem(`the plan asks ${shown(asked)} of ${name}, and does not say what that is`, { record: index });
    return;
  }
  // What is asked of the members of a list (of each fine-tuning job, say) or of a workspace with logs is not counted here.
  const others = Object.entries(sweep.plan.questions).filter(([entry]) => !entry.includes(":") && !["subscription", "project", asked].includes(entry));
  const counted = new Set([...kinds, ...(sweep.plan.questions.project ?? [])]), beyond = new Set(others.flatMap(([, those]) => those).filter((kind) => !counted.has(kind)));
  if (answers.some((answer) => beyond.has(answer.kind))) examiner.followed = true;
  const due = new Map(), answered = new Map(), add = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const kind of kinds) add(due, pair(kind, account));
  for (const answer of answers) {
    add(answered, pair(answer.kind, answer.resource));
    if (answer.kind !== "projects" || answer.resource !== account || answer.failed) continue;
    const found = new Set(examiner.items(answer).map(({ id }) => {
      const one = typeof id === "string" ? id.toLowerCase() : "", tail = one.startsWith(`${account}/projects/`) ? one.slice(account.length + 10) : one;
      return /^[a-z0-9][a-z0-9._-]{0,126}$/.test(tail) ? one : null;
    }));
    if (found.delete(null)) examiner.report.gap("the list of projects names what is no project of this account", { record: answer.index, resource: account });
    for (const project of found) for (const kind of sweep.plan.questions.project ?? []) add(due, pair(kind, project));
  }
  for (const [key, times] of due) if ((answered.get(key) ?? 0) < times) examiner.report.problem(`${key.replace("\n", " of ")} was planned, and has neither an answer nor a failure`, { record: index });
  for (const answer of answers) {
    const key = pair(answer.kind, answer.resource);
    if (!beyond.has(answer.kind) && answered.get(key) > (due.get(key) ?? 0)) examiner.report.problem(`${answer.kind} of ${answer.resource} was answered more often than the plan asks it`, { record: answer.index });
  }
}

// The closing record says what there is.
function closing(examiner, index, sweep, closed) {
  const { report } = examiner, whole = examiner.resources === null, missing = new Set(closed.missing), say = (reason) => report.problem(reason, { record: index });
  for (const name of sweep.units.keys()) {
    if (sweep.asked.has(name)) questions(examiner, sweep, name, index);
    if (!missing.has(name) && !sweep.findings.has(name) && !sweep.strange) say(`${name} was collected and not judged`);
  }
  const units = new Map([...sweep.units].map(([name, answers]) => [name, [answers[0].index, answers.length]]));
  if (whole) units.set("plan", [sweep.first, sweep.planRecord - sweep.first + 1]);
  const findings = new Map([...sweep.findings].map(([name, place]) => [`${name}.findings`, place]));
  for (const [said, counted] of sweep.strange ? [] : [[closed.units, units], [closed.findings, findings]]) {
    need(isObject(said), "places");
    for (const name of sorted(new Set([...(whole ? Object.keys(said) : []), ...counted.keys()]))) {
      const place = Object.hasOwn(said, name) ? said[name] : null, found = counted.get(name) ?? null;
      if (String(place) !== String(found)) say(`says that ${shown(name)} is at ${place}, and it is at ${found} (first record, records)`);
    }
  }
  const due = closed.deletions;
  if (due === undefined) examiner.uncounted ||= !whole;
  else for (const account of sorted(new Set([...Object.keys(due), ...sweep.deletions.keys()]))) {
    const said = Object.hasOwn(due, account) ? count(due[account]) : 0, there = sweep.deletions.get(account) ?? 0;
    if (said !== there && examiner.concerns(account)) say(`says that ${said} deletions of ${shown(account)} were concluded, and ${there} are here`);
  }
  if (closed.planned !== sweep.planRecord || closed.slot !== sweep.plan.slot) say(`names another plan or slot than the one at record ${sweep.planRecord}`);
  for (const name of sorted(missing)) {
    const resource = sweep.asked.get(name)?.resource ?? "";
    if (examiner.concerns(resource)) report.gap(`${name} was planned and not collected`, { record: index, resource: resource || undefined });
  }
  const absent = new Set([...sweep.asked].filter(([name, unit]) => !sweep.units.has(name) && examiner.concerns(unit.resource)).map(([name]) => name));
  if (!whole) {
    for (const name of sorted(absent)) if (!missing.has(name)) say(`the records of ${name} are not in the bundle`);
    return;
  }
  const wrong = [...absent].filter((name) => !missing.has(name)).concat([...missing].filter((name) => !absent.has(name) && (!sweep.units.has(name) || sweep.findings.has(name))));
  if (wrong.length) say(`is wrong about which units are missing: ${sorted(wrong).slice(0, 3).join(", ")}`);
  let failures = sweep.planning.filter(([, answer]) => answer.failed).length;
  for (const [name, answers] of sweep.units) if (!missing.has(name)) failures += answers.filter((answer) => answer.failed).length;
  if (closed.failures !== failures) say(`says that ${shown(closed.failures)} questions failed, and ${failures} did`);
  if (closed.complete !== (missing.size === 0 && failures === 0)) say("says of the sweep that it is complete, or not, and it is the opposite");
  if (!sweep.findings.has("sweep") && !sweep.strange) say("the collection itself was not judged");
}

// Each plan names the closing record of the sweep before it, so none can be left out between two that are there.
function period(examiner) {
  const { report, bundle, plans, closings } = examiner, [start, end] = bundle.period;
  if (!plans.length) {
    report.problem("the bundle has no sweep of its period", { file: "manifest.json" });
    return;
  }
  const after = examiner.beyond.find((plan) => (plan.slot ?? plan.at) >= end);
  for (const [index, plan] of after ? [...plans, [undefined, after]] : plans) {
    if (plan.previous !== null && !closings.has(plan.previous.record)) report.problem(`the sweep before it, closed at record ${plan.previous.record}, is not in the bundle: it was left out`, { record: index });
  }
  const [first, { previous }] = plans[0];
  if (previous !== null && (previous.slot ?? "") >= start) report.problem("the sweep before it is of the period too, and was left out", { record: first });
  const beside = new Set([...examiner.keyRecords, ...examiner.restsOn, ...(previous === null ? [] : [previous.record])]);
  const onlyBeside = ([one, number]) => number <= beside.size && Array.from({ length: number }, (_, i) => one + i).every((index) => beside.has(index));
  const runs = bundle.ranges.filter((range) => !onlyBeside(range));
  if (bundle.resources === null && runs.length > 1) report.problem("records between those of the period are left out", { record: runs[0][0] + runs[0][1] });
  const last = runs.length ? runs[runs.length - 1] : bundle.ranges[bundle.ranges.length - 1], stop = last[0] + last[1];
  if (!after && stop !== bundle.size) report.problem(`the bundle ends at record ${stop - 1} and the log at ${bundle.size - 1}: nothing shows that what follows is of later time`);
  else if (!after && bundle.resources !== null && closings.size && Math.max(...closings.keys()) < last[0]) report.problem("nothing shows that no sweep was planned after the last one");
  slotsOf(examiner, start, end);
}

function slotsOf({ report, plans: rows }, from, end) {
  const plans = rows.map(([, plan]) => plan), declared = plans.filter((plan) => plan.schedule !== null);
  if (declared.length < plans.length) report.counts.unscheduled = 1;
  if (declared.length < plans.length) report.unchecked.push("that no sweep is missing while no schedule was declared: nothing says when sweeps were due");
  if (!declared.length) return;
  const time = (plan) => plan.slot ?? plan.at, whole = plans.filter((plan) => plan.scope.resources === null);
  const done = new Set(whole.map((plan) => plan.slot)), narrowed = new Set(plans.map((plan) => plan.slot).filter((slot) => !done.has(slot)));
  // A log that begins with its period, on the same day, has missed nothing; one that begins later has nothing to show for the time before.
  const begun = plans[0].previous && plans[0].previous.slot, begin = time(declared[0]);
  const start = !begun && Date.parse(begin) - Date.parse(from) <= 86400000 ? begin : from;
  let due = 0, missed = 0, row = [];
  const tell = () => {
    if (row.length) report.gap(`no sweep${narrowed.has(row[0]) ? " but of named accounts" : ""} was planned for ${row.length === 1 ? `the slot ${row[0]}` : `${row.length} slots in a row, ${row[0]} to ${row[row.length - 1]}`}`);
    row = [];
  };
  for (const [number, plan] of plans.entries()) {
    const since = number === 0 || start > time(plan) ? start : time(plan), until = number + 1 < plans.length ? time(plans[number + 1]) : end;
    if (plan.schedule === null || since >= until) continue;
    try {
      for (const slot of slots(plan.schedule, since, until)) {
        due += 1;
        if (due > 500000) {
          report.unchecked.push(`slots after ${slot}: there are too many`);
          break;
        }
        if (done.has(slot)) tell();
        else {
          missed += 1;
          if (row.length && narrowed.has(row[0]) !== narrowed.has(slot)) tell();
          row.push(slot);
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      report.problem(`the schedule ${shown(plan.schedule)} is none`, { record: rows[number][0] });
    }
  }
  tell();
  report.checked.push(`${(due - missed).toLocaleString("en")} of ${due.toLocaleString("en")} slots of the declared schedule have their sweep`);
}

// The moments of a schedule of Azure Functions (second minute hour day month day-of-week), from `start` until before `end`.
function* slots(schedule, start, end) {
  const fields = schedule.split(" ").filter(Boolean);
  need(fields.length === 6, "fields");
  const spans = [[0, 59], [0, 59], [0, 23], [1, 31], [1, 12], [0, 6]];
  const [seconds, minutes, hours, days, months, weekdays] = fields.map((field, i) => fieldValues(field, ...spans[i]));
  const times = hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => ((h * 60 + m) * 60 + s) * 1000)));
  const last = Date.parse(end), first = Date.parse(start);
  for (let day = first - (first % 86400000); day < last; day += 86400000) {
    const at = new Date(day);
    if (!months.includes(at.getUTCMonth() + 1) || !days.includes(at.getUTCDate()) || !weekdays.includes(at.getUTCDay())) continue;
    for (const milliseconds of times) {
      const slot = new Date(day + milliseconds).toISOString().replace("Z", "000Z");
      if (slot >= end) return;
      if (slot >= start) yield slot;
    }
  }
}

function fieldValues(field, least, most) {
  const names = { 12: ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 6: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] }[most] ?? [];
  const value = (text) => {
    const found = /^[a-z]{3,}$/i.test(text) ? names.indexOf(text.toLowerCase().slice(0, 3)) : /^[0-9]{1,4}$/.test(text) ? Number(text) : -1;
    need(found >= least && found <= most, "value");
    return found;
  };
  const found = new Set();
  for (const part of field.split(",")) {
    const [, span, step] = /^([^/]*)(?:\/([0-9]{1,4}))?$/.exec(part) ?? need(false, "part");
    const [low, high] = span.split("-");
    const first = span === "*" ? least : value(low);
    const last = span === "*" || (step !== undefined && high === undefined) ? most : high === undefined ? first : value(high);
    need(first <= last && (step === undefined || Number(step) > 0), "range");
    for (let one = first; one <= last; one += Number(step ?? 1)) found.add(one);
  }
  return [...found].sort((a, b) => a - b);
}
