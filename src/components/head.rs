//! The head of a page.

use leptos::prelude::*;

/// The heading, which also names the tab, a line of introduction and the page's acts.
#[component]
pub fn PageHead(
    /// What the page is.
    title: &'static str,
    /// Whose page it is, for the tab's name: a workspace or a region.
    scope: Signal<Option<String>>,
    /// A line below the heading.
    intro: AnyView,
    /// The page's acts.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    Effect::new(move |_| {
        let scope = scope.get().map(|scope| format!(" · {scope}")).unwrap_or_default();
        document().set_title(&format!("{title}{scope} · Keygate"));
    });
    view! {
        <div class="page-head">
            <div class="words">
                <h1 tabindex="-1">{title}</h1>
                <p>{intro}</p>
            </div>
            {children.map(|children| children())}
        </div>
    }
}
