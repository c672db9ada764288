import { type Decline, declines } from './declines.js';

/** A test payment method and a test amount. */
export interface Behaviour {
  /** `pm_card_<name>`; where there are `seconds`, `pm_card_<name>_<n>s` too */
  name: string;
  /** of its amounts: 51 is 999,051.00, and where there are `seconds`, 999,051.07 waits 7 s */
  number: number;
  /** one sentence for people */
  about: string;
  /** how long its late part waits, unless card or amount say */
  seconds?: number;
  does: Deeds;
}

/** What is left out is done as Stripe does it with a good card. */
interface Deeds {
  /** what becomes of the money before the answer; it is taken, unless given */
  now?: 'declines' | 'nothing';
  /** and what after so many seconds */
  later?: 'succeeds' | 'declines';
  /** the reason, where it declines */
  decline?: Decline;
  /** `lost`: the connection breaks off within it; `never`: it stays open and silent */
  answer?: 'never' | 'lost' | 'always-lost' | 'after-webhook' | 'late';
  /** the news of a capture */
  webhook?: 'never' | 'late' | 'twice' | 'contradicted' | 'after-refund';
  refund?: 'refused' | 'refused-once' | 'answer-lost';
}

export interface CardFacts {
  brand: string;
  last4: string;
}

/** What is done for one charge. */
export interface Conduct extends Deeds {
  card: CardFacts;
  decline: Decline;
  waitMs: number;
}

export const goodCards: Readonly<Record<string, CardFacts>> = {
  pm_card_visa: { brand: 'visa', last4: '4242' },
  pm_card_visa_debit: { brand: 'visa', last4: '5556' },
  pm_card_mastercard: { brand: 'mastercard', last4: '4444' },
  pm_card_mastercard_debit: { brand: 'mastercard', last4: '8210' },
  pm_card_mastercard_prepaid: { brand: 'mastercard', last4: '5100' },
  pm_card_amex: { brand: 'amex', last4: '8431' },
  pm_card_discover: { brand: 'discover', last4: '1117' },
  pm_card_diners: { brand: 'diners', last4: '0004' },
  pm_card_jcb: { brand: 'jcb', last4: '0505' },
  pm_card_unionpay: { brand: 'unionpay', last4: '0005' },
};

const [genericDecline] = declines;

/** The one table. Numbers are a promise: a new behaviour takes a new one. */
export const behaviours: readonly Behaviour[] = [
  ...declines.map(
    ({ number, name, decline }): Behaviour => ({
      name,
      number,
      about: `Declines with \`${decline.declineCode}\`.`,
      does: { now: 'declines', decline },
    }),
  ),
  {
    name: 'neverAnswers',
    number: 51,
    about: 'Never answers, takes nothing, tells nothing.',
    does: { now: 'nothing', answer: 'never' },
  },
  {
    name: 'processing',
    number: 52,
    about: 'Answers `processing`, and nothing follows.',
    does: { now: 'nothing' },
  },
  {
    name: 'lateSuccess',
    number: 53,
    about: 'Answers `processing`; takes the money after 5 s and sends the webhook.',
    seconds: 5,
    does: { now: 'nothing', later: 'succeeds' },
  },
  {
    name: 'lateDecline',
    number: 54,
    about: 'Answers `processing`; declines after 5 s and sends the webhook.',
    seconds: 5,
    does: { now: 'nothing', later: 'declines' },
  },
  {
    name: 'silentSuccess',
    number: 55,
    about: 'Never answers; takes the money after 5 s and sends the webhook.',
    seconds: 5,
    does: { now: 'nothing', later: 'succeeds', answer: 'never' },
  },
  {
    name: 'silentDecline',
    number: 56,
    about: 'Never answers; declines after 5 s and sends the webhook.',
    seconds: 5,
    does: { now: 'nothing', later: 'declines', answer: 'never' },
  },
  {
    name: 'declinedThenSuccess',
    number: 57,
    about: 'Declines with `generic_decline`; takes the money all the same after 5 s and sends that webhook too.',
    seconds: 5,
    does: { now: 'declines', later: 'succeeds' },
  },
  {
    name: 'answerLost',
    number: 58,
    about: 'Takes the money and breaks off within the answer; asked again with the same key, it answers.',
    does: { answer: 'lost' },
  },
  {
    name: 'answerAlwaysLost',
    number: 59,
    about: 'Takes the money and breaks off within the answer, whenever it is asked; only the webhook tells.',
    does: { answer: 'always-lost' },
  },
  {
    name: 'answerAfterWebhook',
    number: 60,
    about: 'Takes the money and answers when the webhook was sent, accepted or not.',
    does: { answer: 'after-webhook' },
  },
  {
    name: 'answerLate',
    number: 69,
    about: 'Takes the money and answers 5 s later; asked again with the same key, it answers at once.',
    seconds: 5,
    does: { answer: 'late' },
  },
  {
    name: 'webhookTwice',
    number: 61,
    about: 'Takes the money; the webhook is sent again when it was accepted.',
    does: { webhook: 'twice' },
  },
  {
    name: 'webhookLate',
    number: 62,
    about: 'Takes the money; the webhook is sent 5 s later.',
    seconds: 5,
    does: { webhook: 'late' },
  },
  {
    name: 'webhookNever',
    number: 63,
    about: 'Takes the money and sends no webhook.',
    does: { webhook: 'never' },
  },
  {
    name: 'webhookFailedAfterSucceeded',
    number: 64,
    about: 'Takes the money; when that webhook was accepted, an older one is sent that says it was declined.',
    does: { webhook: 'contradicted' },
  },
  {
    name: 'webhookAfterRefund',
    number: 65,
    about: 'Takes the money; that webhook is held back until the one of its first refund was accepted.',
    does: { webhook: 'after-refund' },
  },
  {
    name: 'refundRefused',
    number: 66,
    about: 'Takes the money and refuses every refund with `charge_disputed`.',
    does: { refund: 'refused' },
  },
  {
    name: 'refundRefusedOnce',
    number: 67,
    about: 'Takes the money and refuses the first refund with `balance_insufficient`.',
    does: { refund: 'refused-once' },
  },
  {
    name: 'refundAnswerLost',
    number: 68,
    about:
      'Takes the money; makes a refund and breaks off within the answer; asked again with the same key, it answers.',
    does: { refund: 'answer-lost' },
  },
];

const byName = new Map(behaviours.map((behaviour) => [behaviour.name, behaviour]));
const byNumber = new Map(behaviours.map((behaviour) => [behaviour.number, behaviour]));

/** Out of the way of real prices, and just below the most that Stripe takes. */
const firstTestAmount = 99_900_000;

/**
 * What a charge does: the payment method decides, and what it leaves open the amount (minor units).
 *
 * @returns undefined if there is no such payment method
 */
export function conductOf(paymentMethod: string, amount: number): Conduct | undefined {
  const good = Object.hasOwn(goodCards, paymentMethod) ? goodCards[paymentMethod] : undefined;
  const byCard = good === undefined ? named(paymentMethod) : undefined;
  if (good === undefined && byCard === undefined) return undefined;
  const byAmount = ofAmount(amount);
  return {
    decline: genericDecline.decline,
    ...byAmount?.does,
    ...byCard?.does,
    card: good ?? { brand: 'visa', last4: '4242' },
    waitMs: 1000 * (byCard?.seconds ?? byAmount?.seconds ?? 0),
  };
}

function named(paymentMethod: string): Behaviour | undefined {
  // Stripe writes some of its names with the brand and some without; both are taken for all.
  const [, name = '', seconds] = /^pm_card_(?:visa_)?(\w+?)(?:_(\d{1,5})s)?$/.exec(paymentMethod) ?? [];
  const found = byName.get(name);
  if (found === undefined || seconds === undefined) return found;
  return found.seconds === undefined ? undefined : { ...found, seconds: Number(seconds) };
}

function ofAmount(amount: number): Behaviour | undefined {
  if (amount < firstTestAmount) return undefined;
  const found = byNumber.get(Math.floor((amount - firstTestAmount) / 100));
  const seconds = amount % 100;
  if (found?.seconds === undefined) return seconds === 0 ? found : undefined;
  return seconds === 0 ? found : { ...found, seconds };
}
