//! Icons, drawn on a field of 20 by 20.

use leptos::prelude::*;

/// Which icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name says what is drawn")]
pub enum Glyph {
    Ban,
    Bars,
    Check,
    ChevronDown,
    ChevronsUpDown,
    Close,
    Copy,
    Clock,
    Cube,
    Dots,
    Download,
    Error,
    Globe,
    Grid,
    Key,
    List,
    Lock,
    Mail,
    Monitor,
    Moon,
    Pencil,
    Plug,
    Plus,
    Pulse,
    Reset,
    Search,
    SignOut,
    Sun,
    Trash,
    Undo,
    Unplugged,
    User,
    Warning,
}

impl Glyph {
    fn path(self) -> &'static str {
        match self {
            Self::Ban => "M10 2.5a7.5 7.5 0 1 0 .01 0zM4.8 4.8l10.4 10.4",
            Self::Bars => "M3 17V9M8 17V3M13 17v-6M17.5 17V6",
            Self::Check => "m4 10.5 4 4 8-9",
            Self::ChevronDown => "m6 8 4 4 4-4",
            Self::ChevronsUpDown => "m7 8 3-3 3 3M7 12l3 3 3-3",
            Self::Close => "m5 5 10 10M15 5 5 15",
            Self::Copy => {
                "M9 7h6a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zM13 7V4.5A1.5 1.5 0 0 0 11.5 3h-7A1.5 1.5 0 0 0 3 4.5v7A1.5 1.5 0 0 0 4.5 13H7"
            }
            Self::Clock => "M10 2.5a7.5 7.5 0 1 0 .01 0zM10 6v4.2l2.8 1.8",
            Self::Cube => "m10 2 7 4v8l-7 4-7-4V6zM3 6l7 4 7-4M10 10v8",
            Self::Dots => "M4 9.2a.8.8 0 1 0 .01 0zM10 9.2a.8.8 0 1 0 .01 0zM16 9.2a.8.8 0 1 0 .01 0z",
            Self::Download => "M10 3v10M6 9l4 4 4-4M3 17h14",
            Self::Error => "M10 2.5a7.5 7.5 0 1 0 .01 0zM10 6.2v4.6M10 13.6v.1",
            Self::Globe => "M10 2.5a7.5 7.5 0 1 0 .01 0zM2.5 10h15M10 2.5c5 5 5 10 0 15-5-5-5-10 0-15",
            Self::Grid => "M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z",
            Self::Key => "M10 13.5a3.5 3.5 0 1 1-7 0a3.5 3.5 0 1 1 7 0M9 11l8-8M14 6l2.5 2.5M11.5 8.5l2 2",
            Self::List => "M7 5h10M7 10h10M7 15h10M3 5h.1M3 10h.1M3 15h.1",
            Self::Lock => {
                "M5 9h10a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1zM6.5 9V6.5a3.5 3.5 0 0 1 7 0V9"
            }
            Self::Mail => "M3 4.5h14v11H3zM3 6l7 5 7-5",
            Self::Monitor => "M3 4h14v9H3zM7 17h6M10 13v4",
            Self::Moon => "M16.5 11.8A7 7 0 1 1 8.2 3.5a5.5 5.5 0 0 0 8.3 8.3z",
            Self::Pencil => {
                "M4 16l.8-3.4L13.4 4a1.6 1.6 0 0 1 2.3 0l.3.3a1.6 1.6 0 0 1 0 2.3L7.4 15.2zM12 5.5l2.5 2.5"
            }
            Self::Plug => "M7 2v5M13 2v5M4 7h12v3a6 6 0 0 1-12 0zM10 16v3",
            Self::Plus => "M10 4v12M4 10h12",
            Self::Pulse => "M2 10h4l2.5-6 4 12 2.5-6h3",
            Self::Reset => "M16 10a6 6 0 1 1-1.8-4.3M16.2 2.8v3.4h-3.4",
            Self::Search => "M9 3.5a5.5 5.5 0 1 0 .01 0zM13.2 13.2l4 4",
            Self::SignOut => "M8 3H4v14h4M12 6l4 4-4 4M16 10H8",
            Self::Sun => {
                "M10 6.6a3.4 3.4 0 1 0 .01 0zM10 2v2M10 16v2M2 10h2M16 10h2M4.5 4.5l1.4 1.4M14.1 14.1l1.4 1.4M15.5 4.5l-1.4 1.4M5.9 14.1l-1.4 1.4"
            }
            Self::Trash => "M3.5 5.5h13M8 5.5v-2h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 9v4.5M11.5 9v4.5",
            Self::Undo => "M4 7h8a4.5 4.5 0 0 1 0 9H7M7 3.5 3.5 7 7 10.5",
            Self::Unplugged => "M7 2v3M13 2v3M4 7h12v3a6 6 0 0 1-12 0zM10 16v3M2.5 2.5l15 15",
            Self::User => "M10 3.5a3.5 3.5 0 1 0 .01 0zM3.5 17c.4-3.4 3-5.5 6.5-5.5s6.1 2.1 6.5 5.5",
            Self::Warning => "M10 3 2 17h16zM10 8v4M10 14.6v.1",
        }
    }
}

/// An icon. It never stands alone: the text beside it, or the label of its button, says the same.
#[component]
pub fn Icon(
    /// Which one.
    glyph: Glyph,
    /// A class beside `icon`.
    #[prop(default = "icon")]
    class: &'static str,
) -> impl IntoView {
    view! {
        <svg class=class viewBox="0 0 20 20" aria-hidden="true">
            <path d=glyph.path()></path>
        </svg>
    }
}
