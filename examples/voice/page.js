// The page: it hands each token on, and shows how long that is good. A token is shown nowhere.
import { keepFresh } from '/token.js';

const longestLog = 10; // lines
const element = id => document.getElementById(id);
let current = { left: () => 0 }, count = 0;

// use hands a token on. Twilio's Voice SDK takes it here:
//
//   if (device) return device.updateToken(token);
//   device = new Device(token);               // from @twilio/voice-sdk
//   device.on('tokenWillExpire', renew);      // so that it may ask, too
//   device.register();                        // so that calls to the identity ring here
function use(token) {}

function got(next) {
  use(next.token);
  current = next;
  count++;
  element('identity').textContent = next.identity;
  element('renewed').textContent = count === 2 ? '1 time' : `${count - 1} times`;
  const line = document.createElement('li');
  line.textContent = `Token ${count} is good until ${next.expiresAt.slice(11, 19)} UTC.`;
  element('log').append(line);
  if (element('log').children.length > longestLog) element('log').firstChild.remove();
  element('problem').hidden = true;
  countDown();
}

function failed(error, pause) {
  element('problem').textContent = `No new token (${error.message}). It is tried again in ${Math.ceil(pause)} s.`;
  element('problem').hidden = false;
}

function countDown() {
  const left = Math.ceil(current.left());
  element('left').textContent = left > 0 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}` : 'none';
}

const renew = keepFresh(got, failed);
renew();
setInterval(countDown, 250);
