/**
 * The page behind a connect link. The token stands in the address after `#`, which browsers send to nobody; it goes out in a
 * header, to this server only. While the person is at the provider it is kept by this tab, and forgotten afterwards.
 */
const KEPT = "plugboard-connect";
const of = (id) => document.getElementById(id);
const outcome = new URLSearchParams(location.search).get("outcome");
const given = location.hash.slice(1);
const token = given || (outcome === null ? "" : sessionStorage.getItem(KEPT) ?? "");
// Out of the address bar, and of the history.
history.replaceState(null, "", "/connect");

// Another link that is opened in this tab changes the address only.
addEventListener("hashchange", () => { if (location.hash !== "") location.reload(); });

let shown;

async function ask(method, path, body) {
  const answer = await fetch(path, { method, headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  throw Object.assign(new Error(said.error?.message ?? `The server answered ${answer.status}.`), { status: answer.status, hint: said.error?.hint, problems: said.error?.problems });
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function say(title, text) {
  of("title").textContent = document.title = title;
  of("introduction").textContent = text;
}

function complain(text, hint) {
  of("problem").replaceChildren(element("strong", { textContent: text }), ...(hint ? [element("div", { textContent: hint })] : []));
  of("problem").hidden = text === "";
}

function finish(title, text) {
  for (const id of ["form", "accounts"]) of(id).hidden = true;
  complain("");
  say(title, text);
  const url = shown?.return_url ?? sessionStorage.getItem(`${KEPT}-return`);
  if (url) { of("return").href = url; of("back").hidden = false; }
  sessionStorage.removeItem(KEPT);
  sessionStorage.removeItem(`${KEPT}-return`);
  of("title").focus();
}

// ── the form ────────────────────────────────────────────────────────────────────────────────────────────────────────

function input(name, field) {
  const id = `field-${name}`;
  const value = shown.entered[name] ?? field.default;
  if (field.enum) {
    const choices = element("select", { id, name }, ...field.enum.map((one) => element("option", { value: String(one), textContent: String(one), selected: one === value })));
    if (value === undefined) choices.prepend(element("option", { value: "", textContent: "", selected: true }));
    return choices;
  }
  if (field.type === "boolean") return element("input", { id, name, type: "checkbox", checked: value === true });
  const type = field["x-secret"] ? "password" : field.format === "date" ? "date" : field.type === "integer" || field.type === "number" ? "number" : "text";
  return element("input", { id, name, type, value: field["x-secret"] || value === undefined ? "" : String(value), placeholder: field["x-secret"] && shown.secrets.includes(name) ? "entered; leave empty to keep it" : "", autocomplete: "off", spellcheck: false, required: field["x-required"] });
}

function draw() {
  of("fields").replaceChildren(...Object.entries(shown.form.properties).sort(([, a], [, b]) => a["x-order"] - b["x-order"]).map(([name, field]) => {
    const control = input(name, field);
    const help = field["x-help"] ?? field.description;
    const described = [help ? `help-${name}` : "", `wrong-${name}`].filter((one) => one !== "").join(" ");
    control.setAttribute("aria-describedby", described);
    if (field.enum || field.type === "boolean") control.addEventListener("change", () => { void choose(); });
    const optional = field["x-required"] || field.default !== undefined || field.type === "boolean" ? "" : " (optional)";
    return element("div", { className: "field", id: `box-${name}` }, element("label", { htmlFor: control.id, textContent: `${field.title}${optional}` }), control,
      ...(help ? [element("p", { className: "help", id: `help-${name}`, textContent: help })] : []), element("p", { className: "wrong", id: `wrong-${name}`, hidden: true }));
  }));
  show();
}

function show() {
  for (const name of Object.keys(shown.form.properties)) of(`box-${name}`).hidden = !shown.asked.includes(name);
  of("send").textContent = shown.signs_in ? `Sign in with ${shown.title}` : "Connect";
  of("form").hidden = false;
}

function read() {
  const [config, secrets] = [{}, {}];
  for (const name of shown.asked) {
    const field = shown.form.properties[name];
    if (field === undefined) continue;
    const control = of(`field-${name}`);
    if (field.type === "boolean") config[name] = control.checked;
    else if (control.value === "") continue;
    else if (field["x-secret"]) secrets[name] = control.value;
    else config[name] = field.enum ? field.enum.find((one) => String(one) === control.value) : field.type === "integer" || field.type === "number" ? Number(control.value) : control.value;
  }
  return { config, secrets };
}

async function choose() {
  try {
    Object.assign(shown, await ask("POST", "/api/connect-link/form", { config: read().config }));
    show();
  } catch (thrown) { fail(thrown); }
}

function fail(thrown) {
  of("state").textContent = "";
  if (thrown.status === 401 || thrown.status === 403) return finish("This link is over", "It was used already, has run out, or was withdrawn. Ask whoever sent it for a new one.");
  let first;
  for (const { field, message } of thrown.problems ?? []) {
    const control = of(`field-${field}`);
    if (control === null) continue;
    control.setAttribute("aria-invalid", "true");
    of(`wrong-${field}`).textContent = message;
    of(`wrong-${field}`).hidden = false;
    first ??= control;
  }
  complain(first === undefined ? thrown.message : "Something is missing or not as expected; it is marked below.", first === undefined ? thrown.hint : undefined);
  first?.focus();
}

of("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  of("send").disabled = true;
  complain("");
  for (const name of Object.keys(shown.form.properties)) { of(`wrong-${name}`).hidden = true; of(`field-${name}`).removeAttribute("aria-invalid"); }
  of("state").textContent = shown.signs_in ? `Taking you to ${shown.title} …` : `Asking ${shown.title} …`;
  try {
    const { authorize_url: address, ok, checked, error } = await ask("POST", "/api/connect-link/connect", read());
    of("state").textContent = "";
    if (address !== undefined) {
      sessionStorage.setItem(KEPT, token);
      if (shown.return_url) sessionStorage.setItem(`${KEPT}-return`, shown.return_url);
      location.assign(address);
      return;
    }
    if (ok) finish(`${shown.title} is connected`, checked ? `${shown.title} accepted what you entered. You can close this page.` : "What you entered is stored. You can close this page.");
    else complain(error.code.startsWith("AUTH_") ? `${shown.title} did not accept what you entered.` : `${shown.title} could not be asked. What you entered is stored; try again later.`, error.message);
  } catch (thrown) { fail(thrown); } finally { of("send").disabled = false; }
});

// ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────────────

function offer() {
  of("choices").replaceChildren(...shown.accounts.map(({ id, label }, index) => element("label", { className: "choice" }, element("input", { type: "radio", name: "account", value: id, checked: index === 0 }), label === undefined ? id : `${label} (${id})`)));
  say(`${shown.title}: one more step`, "The sign-in reaches several accounts.");
  of("accounts").hidden = false;
  of("title").focus();
}

of("pick").addEventListener("click", async () => {
  of("pick").disabled = true;
  try {
    await ask("POST", "/api/connect-link/account", { account: document.querySelector("input[name=account]:checked").value });
    finish(`${shown.title} is connected`, "You can close this page.");
  } catch (thrown) { fail(thrown); } finally { of("pick").disabled = false; }
});

// ── begin ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function begin() {
  if (outcome === "connected") return finish("Connected", "The sign-in worked. You can close this page.");
  if (token === "") return finish("Nothing to connect", "Open the link as it was sent to you.");
  try {
    shown = await ask("GET", "/api/connect-link");
  } catch (thrown) { return fail(thrown); }
  of("organisation").textContent = shown.organisation;
  of("organisation").hidden = false;
  if (outcome === "choose" && shown.accounts.length > 0) return offer();
  say(`Connect ${shown.title}`, "What you enter is encrypted, and nobody can read it again.");
  draw();
  if (outcome === "account_changed") complain(`You signed in to another account of ${shown.title} than before. Nothing was changed.`, "Sign in to the same account.");
  else if (outcome !== null) complain(shown.sign_in.said?.message ?? "The sign-in did not work.", shown.sign_in.said?.hint ?? "Try it again.");
}

void begin();
