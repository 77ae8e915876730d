//! Times in the person's language and time zone, by the browser's own library.

use js_sys::{Array, Intl, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

thread_local! {
    static DAY: Intl::DateTimeFormat = formatter(&[("dateStyle", "medium")]);
    static AGO: Intl::RelativeTimeFormat = Intl::RelativeTimeFormat::new(&Array::of1(&JsValue::from_str("en")), &Object::new());
    static CLOCK: Intl::DateTimeFormat = formatter(&[("hour", "2-digit"), ("minute", "2-digit")]);
    static SECONDS: Intl::DateTimeFormat = formatter(&[("timeStyle", "medium")]);
    static DAY_CLOCK: Intl::DateTimeFormat = formatter(&[("month", "short"), ("day", "numeric"), ("hour", "2-digit"), ("minute", "2-digit")]);
    static YEAR_CLOCK: Intl::DateTimeFormat = formatter(&[("year", "numeric"), ("month", "short"), ("day", "numeric"), ("hour", "2-digit"), ("minute", "2-digit")]);
    static DAY_SECONDS: Intl::DateTimeFormat = formatter(&[("month", "short"), ("day", "numeric"), ("hour", "2-digit"), ("minute", "2-digit"), ("second", "2-digit")]);
    static SHORT_DAY: Intl::DateTimeFormat = formatter(&[("month", "short"), ("day", "numeric")]);
    static SHORT_DAY_UTC: Intl::DateTimeFormat = formatter(&[("month", "short"), ("day", "numeric"), ("timeZone", "UTC")]);
    static DAY_UTC: Intl::DateTimeFormat = formatter(&[("dateStyle", "medium"), ("timeZone", "UTC")]);
    static MOMENT: Intl::DateTimeFormat = formatter(&[("dateStyle", "long"), ("timeStyle", "long")]);
}

fn formatter(options: &[(&str, &str)]) -> Intl::DateTimeFormat {
    let bag = Object::new();
    for (name, value) in options {
        // A plain object takes every field.
        let _ = Reflect::set(&bag, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    Intl::DateTimeFormat::new(&Array::new(), &bag)
}

fn write(with: &Intl::DateTimeFormat, rfc3339: &str) -> String {
    let date = js_sys::Date::new(&JsValue::from_str(rfc3339));
    if date.get_time().is_nan() {
        return rfc3339.to_owned();
    }
    with.format()
        .call1(with, &date)
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_else(|| rfc3339.to_owned())
}

/// How a moment, in milliseconds since 1970, is written where there is little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Short {
    /// `14:03`
    Clock,
    /// `14:03:27`
    Seconds,
    /// `Nov 20, 14:03`
    DayClock,
    /// `Nov 20, 2026, 14:03`
    YearClock,
    /// `Nov 20, 14:03:27`
    DaySeconds,
    /// `Nov 20`
    Day,
    /// `Nov 20`, in UTC.
    DayUtc,
    /// `Nov 20, 2026`, in UTC.
    LongDayUtc,
}

impl Short {
    /// The moment so written.
    pub fn write(self, millis: f64) -> String {
        let format = match self {
            Self::Clock => &CLOCK,
            Self::Seconds => &SECONDS,
            Self::DayClock => &DAY_CLOCK,
            Self::YearClock => &YEAR_CLOCK,
            Self::DaySeconds => &DAY_SECONDS,
            Self::Day => &SHORT_DAY,
            Self::DayUtc => &SHORT_DAY_UTC,
            Self::LongDayUtc => &DAY_UTC,
        };
        rfc3339(millis).map(|text| format.with(|format| write(format, &text))).unwrap_or_default()
    }
}

/// How far the person's clock is ahead of UTC at a moment, in milliseconds.
pub fn ahead_of_utc(millis: f64) -> f64 {
    js_sys::Date::new(&JsValue::from_f64(millis)).get_timezone_offset() * -60_000.0
}

/// Whether a moment is in the year that it is now, by the person's calendar.
pub fn is_this_year(millis: f64) -> bool {
    let year = |millis| js_sys::Date::new(&JsValue::from_f64(millis)).get_full_year();
    year(millis) == year(now())
}

/// How long ago it was, in the largest unit that fits: `5 minutes ago`. It stands in sentences, so it is in their
/// language.
pub fn ago(rfc3339: &str) -> String {
    let then = js_sys::Date::new(&JsValue::from_str(rfc3339)).get_time();
    if then.is_nan() {
        return rfc3339.to_owned();
    }
    let seconds = ((js_sys::Date::now() - then) / 1000.0).max(0.0);
    let (count, unit) = match seconds {
        s if s < 60.0 => (s, "second"),
        s if s < 3_600.0 => (s / 60.0, "minute"),
        s if s < 86_400.0 => (s / 3_600.0, "hour"),
        s => (s / 86_400.0, "day"),
    };
    AGO.with(|format| String::from(format.format(-count.floor(), unit)))
}

/// The moment so many hours ago, in RFC 3339 as the server writes it.
pub fn hours_before_now(hours: u32) -> String {
    let moment = js_sys::Date::now() - f64::from(hours) * 3_600_000.0;
    js_sys::Date::new(&JsValue::from_f64(moment)).to_iso_string().into()
}

/// The moment in words, with its time zone.
pub fn moment(rfc3339: &str) -> String {
    MOMENT.with(|format| write(format, rfc3339))
}

/// Now, in milliseconds since 1970.
pub fn now() -> f64 {
    js_sys::Date::now()
}

/// A moment in milliseconds since 1970, in RFC 3339 as the server writes it.
pub fn rfc3339(millis: f64) -> Option<String> {
    let date = js_sys::Date::new(&JsValue::from_f64(millis));
    // Of a moment that no date stands for the library makes no text but an error.
    (!date.get_time().is_nan()).then(|| date.to_iso_string().into())
}

/// A moment in milliseconds since 1970, from RFC 3339 or from what a field for date and time holds, which is meant in
/// the person's time zone.
pub fn millis(text: &str) -> Option<f64> {
    let millis = js_sys::Date::new(&JsValue::from_str(text)).get_time();
    (!millis.is_nan()).then_some(millis)
}

/// What a field for date and time holds at a moment: `2026-11-20T09:30`, in the person's time zone.
pub fn date_time_field(rfc3339: &str) -> String {
    let date = js_sys::Date::new(&JsValue::from_str(rfc3339));
    let (year, month, day) = (date.get_full_year(), date.get_month() + 1, date.get_date());
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}", date.get_hours(), date.get_minutes())
}

/// The name of the person's time zone, such as `Europe/Berlin`.
pub fn time_zone() -> Option<String> {
    let options = DAY.with(Intl::DateTimeFormat::resolved_options);
    Reflect::get(&options, &JsValue::from_str("timeZone")).ok()?.as_string()
}

/// How long ago a moment was; the exact moment with its time zone is in the title.
#[component]
pub fn Ago(
    /// The moment, in RFC 3339.
    at: String,
) -> impl IntoView {
    let (words, moment) = (ago(&at), moment(&at));
    view! { <time class="nowrap" datetime=at title=moment>{words}</time> }
}

/// A day; the exact moment with its time zone is in the title.
#[component]
pub fn Date(
    /// The moment, in RFC 3339.
    at: String,
) -> impl IntoView {
    let (day, moment) = (DAY.with(|f| write(f, &at)), moment(&at));
    view! { <time class="nowrap" datetime=at title=moment>{day}</time> }
}

/// A day, and of today the time too; the exact moment with its time zone is in the title.
#[component]
pub fn DateOrTime(
    /// The moment, in RFC 3339.
    at: String,
) -> impl IntoView {
    let day_of = |rfc3339: &str| date_time_field(rfc3339).split('T').next().map(str::to_owned);
    let is_today = rfc3339(now()).is_some_and(|now| day_of(&now) == day_of(&at));
    let words = if is_today {
        format!("today, {}", CLOCK.with(|f| write(f, &at)))
    } else {
        DAY.with(|f| write(f, &at))
    };
    let moment = moment(&at);
    view! { <time class="nowrap" datetime=at title=moment>{words}</time> }
}

/// A moment to the second; the exact one with its time zone is in the title.
#[component]
pub fn At(
    /// The moment, in RFC 3339.
    at: String,
) -> impl IntoView {
    let (words, moment) = (DAY_SECONDS.with(|f| write(f, &at)), moment(&at));
    view! { <time class="nowrap" datetime=at title=moment>{words}</time> }
}
