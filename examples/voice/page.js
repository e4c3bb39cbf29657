// The browser's side of an access token: get one, and the next before it ends. A token stays in here, and is shown nowhere.

// use hands a token on. Twilio's Voice SDK takes it here:
//
//   if (device) return device.updateToken(token);
//   device = new Device(token);               // from @twilio/voice-sdk
//   device.on('tokenWillExpire', renew);      // it says when it is time, too
//   device.register();                        // so that calls to the identity ring here
function use(token) {}

// A stopwatch tells how many seconds it has run. One of the clocks stands still while the machine sleeps, and the other one can be set.
function stopwatch() {
  const began = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - began[0], Date.now() - began[1]) / 1000;
}

const longestPause = 30, mostLines = 10; // seconds between two attempts, and what the log shows
let current = { age: stopwatch(), good: 0, number: 0 };
let due = { since: stopwatch(), after: 0 };
let failures = 0, isAsking = false;

async function renew() {
  if (isAsking) return;
  isAsking = true;
  const age = stopwatch(); // from before the request: what it takes is no time that is left
  try {
    const answer = await fetch('/token', { method: 'POST', signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(answer.status === 503 ? 'not now' : 'refused, status ' + answer.status);
    const { token, identity, expires_at, refresh_at } = await answer.json();
    use(token);
    // Only the server's times count, so that a clock that is wrong here does no harm. Its Date has no fractions: it may be a second later.
    const now = (Date.parse(answer.headers.get('Date')) || Date.now()) + 1000;
    const seconds = until => (Date.parse(until) - now) / 1000;
    current = { age, good: seconds(expires_at), number: current.number + 1 };
    due = { since: age, after: Math.max(0.5, seconds(refresh_at)) };
    failures = 0;
    tell(identity, expires_at);
  } catch (error) {
    failures++;
    due = { since: stopwatch(), after: Math.min(longestPause, 2 ** failures) * (0.5 + Math.random() / 2) };
    complain(error);
  }
  isAsking = false;
}

// What a person sees.
const element = id => document.getElementById(id);

function tell(identity, expiresAt) {
  element('identity').textContent = identity;
  element('renewed').textContent = current.number - 1 + (current.number === 2 ? ' time' : ' times');
  const line = document.createElement('li');
  line.textContent = `Token ${current.number} is good until ${expiresAt.slice(11, 19)} UTC.`;
  element('log').append(line);
  if (element('log').children.length > mostLines) element('log').firstChild.remove();
  element('problem').hidden = true;
  countDown();
}

function complain(error) {
  element('problem').textContent = `No new token (${error.message}). It is tried again in ${Math.ceil(due.after)} s.`;
  element('problem').hidden = false;
}

function countDown() {
  const left = Math.floor(current.good - current.age());
  element('left').textContent = left > 0 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}` : 'none';
}

function tick() {
  countDown();
  if (due.since() >= due.after) renew();
}

tick();
setInterval(tick, 250);
