// The browser's side of an access token: get one, and the next before it ends.

const longestPause = 30; // seconds between two attempts, where none succeeds

// keepFresh calls got with each new token, and failed where there is none, until the page is closed. It returns what asks at once.
export function keepFresh(got, failed) {
  let due = { since: stopwatch(), after: 0 }, failures = 0, isAsking = false;

  async function renew() {
    if (isAsking) return;
    isAsking = true;
    const age = stopwatch(); // from before the request: what it takes is no time that is left
    try {
      const answer = await fetch('/token', { method: 'POST', signal: AbortSignal.timeout(10_000) });
      if (!answer.ok) throw new Error('status ' + answer.status);
      const { token, identity, expires_at, refresh_at } = await answer.json();
      // The times are compared with the server's Date alone, so a clock that is wrong here does no harm. Date has no fractions: the server
      // may be a second ahead of it.
      const now = (Date.parse(answer.headers.get('Date')) || Date.now()) + 1000;
      const [life, fresh] = [expires_at, refresh_at].map(until => (Date.parse(until) - now) / 1000);
      due = { since: age, after: Math.max(0.5, fresh) };
      failures = 0;
      got({ token, identity, expiresAt: expires_at, left: () => life - age() });
    } catch (error) {
      due = { since: stopwatch(), after: Math.min(longestPause, 2 ** ++failures) * (0.5 + Math.random() / 2) };
      failed(error, due.after);
    }
    isAsking = false;
  }

  setInterval(() => due.since() >= due.after && renew(), 250);
  return renew;
}

// A stopwatch tells how many seconds it has run. One of the clocks stands still while the machine sleeps, and the other one can be set.
function stopwatch() {
  const began = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - began[0], Date.now() - began[1]) / 1000;
}
