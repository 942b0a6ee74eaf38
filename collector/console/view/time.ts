/** Times and ages as people read them. A time of day is never printed without its zone. */
import type { Language } from "#shared/text/text.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const units: Readonly<Record<Language, { d: string; h: string; m: string; s: string }>> = {
  en: { d: "d", h: "h", m: "min", s: "s" },
  "zh-CN": { d: "天", h: "小时", m: "分", s: "秒" },
};

/** Two units at most, rounded down: "42 s", "6 min", "3 h 05 min", "2 d 4 h". Negative reads as 0. */
export function formatAge(ageMs: number, language: Language): string {
  const unit = units[language];
  const age = Math.max(0, ageMs);
  if (age < minute) return `${Math.floor(age / second)} ${unit.s}`;
  if (age < hour) return `${Math.floor(age / minute)} ${unit.m}`;
  if (age < day) {
    const minutes = String(Math.floor((age % hour) / minute)).padStart(2, "0");
    return `${Math.floor(age / hour)} ${unit.h} ${minutes} ${unit.m}`;
  }
  return `${Math.floor(age / day)} ${unit.d} ${Math.floor((age % day) / hour)} ${unit.h}`;
}

/** "0.4 s", "12 s", then as `formatAge`. */
export function formatLag(lagMs: number, language: Language): string {
  if (lagMs < 10 * second) return `${(Math.max(0, lagMs) / second).toFixed(1)} ${units[language].s}`;
  return formatAge(lagMs, language);
}

export interface TimeStyle {
  readonly language: Language;
  /** IANA name. */
  readonly timeZone: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(style: TimeStyle, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([style, options]);
  const known = formats.get(key);
  if (known !== undefined) return known;
  // British English for its 24 hours and day before month; Chinese as it is.
  const locale = style.language === "en" ? "en-GB" : style.language;
  const made = new Intl.DateTimeFormat(locale, { ...options, hourCycle: "h23", timeZone: style.timeZone });
  formats.set(key, made);
  return made;
}

/** "03:12:41", without zone: only for places that print the zone once for many times (axes, tables, the timeline). */
export function formatTime(atMs: number, style: TimeStyle): string {
  return format(style, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(atMs);
}

/** "03:12", as `formatTime`. */
export function formatMinute(atMs: number, style: TimeStyle): string {
  return format(style, { hour: "2-digit", minute: "2-digit" }).format(atMs);
}

/** "GMT+8": the zone in force at that moment. */
export function formatZone(atMs: number, style: TimeStyle): string {
  const parts = format(style, { timeZoneName: "short" }).formatToParts(atMs);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? style.timeZone;
}

/** "03:12:41 GMT+8", with "22 Nov" in front when it is not the day of `nowMs`. */
export function formatMoment(atMs: number, nowMs: number, style: TimeStyle): string {
  return `${formatDayTime(atMs, nowMs, style)} ${formatZone(atMs, style)}`;
}

/** `formatMoment` without the zone. */
export function formatDayTime(atMs: number, nowMs: number, style: TimeStyle): string {
  const date = format(style, { day: "numeric", month: "short" });
  const time = formatTime(atMs, style);
  return date.format(atMs) === date.format(nowMs) ? time : `${date.format(atMs)} ${time}`;
}
