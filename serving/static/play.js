"use strict";
// The page of a game: it shows what the service answers, checks the seals itself, and keeps nothing but a name.

// Drawn here, because not every machine has a font with hands.
const SHAPES = {
  rock: "M8 27 5 18 11 8 21 5 28 13 27 23 20 28Z M11 8 16 15 27 23 M16 15 5 18",
  paper: "M8 4H20L25 9V28H8Z M20 4V9H25 M12 14H21 M12 19H21 M12 24H18",
  scissors: "M9 26A4 4 0 1 1 9 18A4 4 0 1 1 9 26Z M23 26A4 4 0 1 1 23 18A4 4 0 1 1 23 26Z M11.5 19 22 4 M20.5 19 10 4",
};
const MOVES = Object.keys(SHAPES);
const KEYS = { r: "rock", p: "paper", s: "scissors", 1: "rock", 2: "paper", 3: "scissors" };
const POLICIES = {
  model: "A model learns from your rounds: three opening moves, then it predicts you.",
  fallback_bot: "No model is promoted for this opponent now; the scripted bot {bot} stands in.",
  bot: "A scripted bot with a fixed rule.",
};
const at = (id) => document.getElementById(id);
const game = { id: null, next: null, busy: false, session: null, secretHash: null, focus: "rock" };

async function ask(path, body) {
  const answer = await fetch(path, body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error.message);
  return told;
}

function drawn(move) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", SHAPES[move]);
  svg.append(path);
  return svg;
}

const points = (value) => Number(value).toFixed(1);

function say(kind, title, text) {
  const box = at("result");
  box.className = `result ${kind}`;
  box.replaceChildren(Object.assign(document.createElement("b"), { textContent: title }), document.createElement("br"), text);
}

async function sha256(bytes) {
  if (!crypto.subtle) return null; // browsers hash for pages of https and of this machine only
  const sum = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function showMoves() {
  const best = game.next ? Math.max(...Object.values(game.next.round_points)) : 0;
  const focused = document.activeElement.dataset.move;
  at("moves").replaceChildren(...MOVES.map((move) => {
    const button = document.createElement("button");
    const worth = game.next ? game.next.round_points[move] : null;
    button.type = "button";
    button.dataset.move = move;
    button.append(drawn(move));
    button.disabled = !game.next || game.busy;
    button.setAttribute("aria-label", `${move}${worth === null ? "" : `, worth ${points(worth)}`}`);
    for (const [kind, text] of [["name", move], ["worth", worth === null ? "\u2013" : points(worth)]]) {
      button.append(Object.assign(document.createElement("span"), { className: kind + (kind === "worth" && worth === best ? " top" : ""), textContent: text }));
    }
    button.append(Object.assign(document.createElement("kbd"), { textContent: move[0].toUpperCase() }));
    button.addEventListener("click", () => play(move));
    return button;
  }));
  if (focused) game.focus = focused;
  const back = at("moves").querySelector(`[data-move="${game.focus}"]`);
  if (back && !back.disabled && (focused || document.activeElement === document.body)) back.focus();
  at("round").textContent = game.next ? `Round ${game.next.round}: what a win is worth with each move` : "The game is over.";
  at("commitment").textContent = game.next ? game.next.commitment : "\u2013";
}

function showScores(you, bot) {
  for (const [side, score] of [["you", you], ["bot", bot]]) {
    at(`${side}-score`).textContent = points(score);
    at(`${side}-bar`).style.width = `${Math.min(100, 10 * score)}%`;
  }
}

function showExpected(told) {
  const expected = told.debug.probabilities;
  at("expected").hidden = !expected;
  if (!expected) return;
  at("bars").replaceChildren(...Object.entries(expected).map(([move, share]) => {
    const row = Object.assign(document.createElement("div"), { className: `expect${move === told.user_move ? " played" : ""}` });
    const track = Object.assign(document.createElement("div"), { className: "track" });
    const fill = document.createElement("i");
    fill.style.width = `${100 * share}%`;
    track.append(fill);
    const name = Object.assign(document.createElement("span"), { textContent: move });
    row.append(name, track, Object.assign(document.createElement("span"), { textContent: `${Math.round(100 * share)} %` }));
    return row;
  }));
  const by = told.model_info;
  at("source").textContent = `${by.model_name} v${by.model_version} (${by.model_alias}), before you moved.`;
}

async function sealKept(told) {
  const sum = await sha256(new TextEncoder().encode(`${told.reveal.move}:${told.reveal.nonce}`));
  return sum === null ? "" : sum === told.reveal.commitment ? "Seal kept \u2713" : "SEAL BROKEN";
}

async function secretKept(told) {
  const bytes = Uint8Array.from(told.secret.match(/../g), (pair) => parseInt(pair, 16));
  const sum = await sha256(bytes);
  return sum === null ? "" : sum === game.secretHash ? " The secret of the game is the announced one \u2713" : " THE SECRET IS NOT THE ANNOUNCED ONE";
}

async function play(move) {
  if (game.busy || !game.next) return;
  game.busy = true;
  showMoves();
  try {
    const told = await ask("/play", { game_id: game.id, user_move: move, round: game.next.round });
    game.next = told.next_round;
    showScores(told.user_score, told.bot_score);
    showExpected(told);
    const seal = await sealKept(told);
    const titles = { win: `You win ${points(told.user_delta)}`, lose: `The bot wins ${points(told.bot_delta)}`, draw: "A draw, half a point each" };
    const ends = { user: "You win the game!", bot: "The bot wins the game.", tie: "The game is a tie." };
    const pair = `${told.user_move} against ${told.bot_move}.`;
    const title = told.finished ? ends[told.winner] : titles[told.result];
    const kind = told.finished ? { user: "win", bot: "lose", tie: "draw" }[told.winner] : told.result;
    const stored = told.stored ? "" : " Not stored yet: the database is away.";
    say(kind, title, `${told.finished ? `${titles[told.result]}: ` : ""}${pair} ${seal}${told.finished ? await secretKept(told) : ""}${stored}`);
    const row = document.createElement("li");
    row.className = told.result;
    for (const text of [told.round, pair.slice(0, -1), `${points(told.user_score)} : ${points(told.bot_score)}`]) {
      row.append(Object.assign(document.createElement("span"), { textContent: text }));
    }
    at("log").prepend(row);
    at("again").hidden = !told.finished;
    if (told.finished) await showBoard();
  } catch (error) {
    say("lose", "That did not work", error.message);
    if (game.id) await standing();
  } finally {
    game.busy = false;
    showMoves();
  }
}

async function standing() {
  try {
    const told = await ask(`/round_points?game_id=${encodeURIComponent(game.id)}`);
    game.next = told.finished ? null : { round: told.round, round_points: told.round_points, commitment: told.commitment };
    showScores(told.scores.player, told.scores.bot);
    at("again").hidden = !told.finished;
  } catch (error) {
    at("again").hidden = false;
  }
}

async function start() {
  const name = at("name").value.trim();
  localStorage.setItem("name", name);
  try {
    const told = await ask("/start_game", { player_name: name || null, policy: at("policy").value, session_id: game.session });
    Object.assign(game, { id: told.game_id, next: told.next_round, session: told.session_id, secretHash: told.secret_commitment });
    at("start").hidden = true;
    at("game").hidden = false;
    at("again").hidden = true;
    at("expected").hidden = true;
    at("log").replaceChildren();
    at("you").textContent = name || "You";
    at("bot").textContent = told.policy;
    showScores(0, 0);
    showMoves();
    say("", "Your move", told.model_info.sentence);
    document.querySelector("#moves button").focus();
  } catch (error) {
    at("opponent").textContent = error.message;
  }
}

async function showPolicies() {
  const { policies } = await ask("/policies");
  at("policy").replaceChildren(...policies.map((one) => {
    const label = one.plays === "model" ? `${one.policy} \u2013 ${one.model_type} v${one.versions.Production}` : `${one.policy} \u2013 scripted bot`;
    return Object.assign(document.createElement("option"), { value: one.policy, textContent: label });
  }));
  const first = policies.find((one) => one.plays === "model");
  if (first) at("policy").value = first.policy;
  const tell = () => {
    const chosen = policies.find((one) => one.policy === at("policy").value);
    at("opponent").textContent = POLICIES[chosen.plays].replace("{bot}", chosen.bot);
  };
  at("policy").addEventListener("change", tell);
  tell();
}

async function showBoard() {
  try {
    const { leaderboard } = await ask("/leaderboard?limit=10");
    at("board").hidden = !leaderboard.length;
    at("board").tBodies[0].replaceChildren(...leaderboard.map((place) => {
      const row = document.createElement("tr");
      for (const text of [place.player_name, place.games, `${Math.round(100 * place.win_rate)} %`]) row.insertCell().textContent = text;
      return row;
    }));
    at("board-note").textContent = leaderboard.length ? "Five games or more; tests and bots are left out." : "Nobody has played five games yet.";
  } catch (error) {
    at("board").hidden = true;
    at("board-note").textContent = error.message;
  }
}

document.addEventListener("keydown", (event) => {
  if (at("game").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  const move = KEYS[event.key.toLowerCase()];
  if (move) play(move);
  else if (event.key === "Enter" && !game.next && !game.busy && document.activeElement.tagName !== "BUTTON") start();
});
at("form").addEventListener("submit", (event) => { event.preventDefault(); start(); });
at("again").addEventListener("click", start);
at("leave").addEventListener("click", () => { at("game").hidden = true; at("start").hidden = false; game.id = null; game.next = null; });
at("name").value = localStorage.getItem("name") || "";
showPolicies().catch((error) => { at("opponent").textContent = error.message; });
showBoard();
