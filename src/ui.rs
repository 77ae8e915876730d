//! Parts that every screen is made of. They know no router, no API and nothing of Keygate.

pub mod dom;

mod avatar;
mod badge;
mod brand;
mod button;
mod chart;
mod checkbox;
mod combo_list;
mod copy;
mod dialog;
mod download;
mod empty;
mod field;
mod filter_menu;
mod form;
mod guard;
mod icon;
mod menu;
mod menu_item;
mod meter;
mod modal;
mod note;
mod number;
mod number_input;
mod pager;
mod popover;
mod radio;
mod ring;
mod search;
mod segments;
mod table;
mod tabs;
mod time;
mod toast;

pub use avatar::Avatar;
pub use badge::{Badge, Tone};
pub use brand::Brand;
pub use button::{ReasonedButton, SubmitButton};
pub use chart::{Chart, ChartData, ChartShape, Hue, Limit, Series, Spans, Unit};
pub use checkbox::{Checkbox, Tick, Ticked};
pub use combo_list::ComboList;
pub use copy::{CopyButton, CopyIcon, CopyText, copy_then};
pub use dialog::{Dialog, Drawer};
pub use download::download_text;
pub use empty::Empty;
pub use field::{FieldError, TextField};
pub use filter_menu::{FilterMenu, FilterOption};
pub use form::Form;
pub use guard::{LeaveGuards, use_leave_guard};
pub use icon::{Glyph, Icon};
pub use menu::Menu;
pub use menu_item::{MenuItem, MenuRadio};
pub use meter::Meter;
pub use modal::{Modal, topmost};
pub use note::Note;
pub use number::{compact, decimal, duration, money, percent, whole};
pub use number_input::NumberInput;
pub use pager::{Pager, Pages, RowPager};
pub use popover::{Popover, close_popover};
pub use radio::{Choice, RadioGroup};
pub use ring::Ring;
pub use search::SearchBox;
pub use segments::Segments;
pub use table::{Column, SkeletonRows, TableHead};
pub use tabs::{TabPanel, Tabs};
pub use time::{
    Ago, At, Date, DateOrTime, Short, ago, ahead_of_utc, date_time_field, hours_before_now, is_this_year,
    millis, moment, now, rfc3339, time_zone,
};
pub use toast::ToastStack;
