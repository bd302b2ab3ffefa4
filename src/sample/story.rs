//! The truths that the sample company's data holds, for queries to find and tests to name.
//!
//! 1. **Spend.** NA pays about [`NA_OVER_MEDIAN`] times the median of the other 22 offices per marketing and sales touch,
//!    and [`NA_UNDER_MEDIAN`] of the overall median per experience and support touch. EMEA mirrors it: experience and
//!    support at [`EMEA_OVER_APAC`] times the APAC rate, marketing and sales a little below.
//! 2. **Offices out of line.** [`OUTLIERS`]: Pune support, Lyon marketing, Madrid sales from 2026-04 on.
//! 3. **Gaps.** [`reported`]: months without rows, cost without touches, touches without cost, an explicit zero, a
//!    month with one category of three. [`ESTIMATED_LAST_MONTH`] of the latest month's cells are estimates.
//! 4. **Loyalty.** [`nps`]: NA low, EMEA high and rising, APAC between; Seattle falls steeply from 2026-01 on.
//!    Enterprise accounts are a bit lower, executives lower than users.
//! 5. **Silent accounts.** One account in [`BLOCK`]: surveys fine, field feedback bad, touches falling, renewal near
//!    (see [`super::silent_accounts`]).
//! 6. **Churn.** [`CHURNED_OF_BLOCK`] accounts in [`BLOCK`]: two thirds scored low for [`LOW_DAYS`] days before, one
//!    third were as silent as the silent ones are.
//! 7. **Coverage.** [`UNCOVERED_OF_BLOCK`] accounts in [`BLOCK`] answered nothing since [`QUIET_FROM`].
//! 8. **Follow-up.** [`OVERDUE`] of the open field feedback is past its due date, [`OVERDUE_SEVERE`] of the severe.
//! 9. **Themes.** From [`THEMES_TURN`] on, response time rises in NA and billing accuracy falls everywhere. The
//!    silent accounts lift staff turnover, competitor interest and executive sponsor in the same months.
//! 10. **Contacts.** [`LEAVING_SPONSORS`] of the executives at accounts that leave, or are about to, without a word have
//!     left their companies; of all others [`LEAVING_USUAL`].
//! 11. **Revenue.** [`NET_RETENTION`] by segment, with churn and contraction in it. The loud contract by
//!     [`LOUD_CONTRACTION`] in the six months before they leave, the silent by [`QUIET_CONTRACTION`] in the last three.
//!     [`MARGINS`] by segment.
//! 12. **Escalations.** [`STAFFING_OFFICE`] is short of people. NA takes twice as long to close them as the others, EMEA
//!     40 % less than before since [`EMEA_CLOSES_SOONER`]. The loud have three or four severe ones, the silent none.
//! 13. **Follow-up calls.** Most are made in time; [`STALLED_OFFICE`] leaves most calls to detractors of the last three
//!     months open.
//! 14. **Partners.** They tell of response time in NA from [`PARTNERS_TURN`] on, two months before customers do.
//! 15. **Operations.** Inner quality goes with what customers think, but for [`WATERMELONS`], which are green inside while
//!     customers turn away, and [`HIDDEN_GEM`], which is red inside while customers are happy.
//! 16. **Assessments.** [`OVERRATED_OFFICE`] rates itself more than a point above what its customers do; EMEA listens
//!     best; follow-through is lowest everywhere, and below the industry in NA; [`IMPROVED_OFFICE`] is better in the
//!     second round.
//! 17. **Initiatives.** Six are stale, four cost more than planned, [`SEATTLE_INITIATIVE`] began as Seattle began to fall,
//!     and [`EMEA_INITIATIVE`] is what made EMEA's escalations shorter.
//! 18. **Currencies.** [`CURRENCY_MOVES`] against USD from January to September 2026.
//! 19. **Codebook.** Its second version knows of executive sponsors and of other languages than English.

use super::calendar::{self, Day, MONTHS, month};
use super::offices::{OFFICES, Region, office_number};

/// NA marketing and sales cost per touch, over the median of the other offices.
pub const NA_OVER_MEDIAN: f64 = 7.0;

/// NA experience and support cost per touch, over the median of all offices.
pub const NA_UNDER_MEDIAN: f64 = 0.55;

/// EMEA experience and support cost per touch, over the APAC rate.
pub const EMEA_OVER_APAC: f64 = 2.4;

/// Offices that are out of line in their own region: office, function, how many times the region's rate, since when.
pub const OUTLIERS: [(&str, Function, f64, usize); 3] = [
    ("Pune", Function::Support, 4.0, 0),
    ("Lyon", Function::Marketing, 5.0, 0),
    ("Madrid", Function::Sales, 3.0, month(2026, 4)),
];

/// The share of the latest month's cost cells that are estimates.
pub const ESTIMATED_LAST_MONTH: f64 = 0.06;

/// Accounts are dealt their fates in blocks of this many: one of each block is silent.
pub const BLOCK: u64 = 50;

/// How many of a block churned.
pub const CHURNED_OF_BLOCK: u64 = 4;

/// How many of a block answered no survey in the last 12 months.
pub const UNCOVERED_OF_BLOCK: u64 = 5;

/// The first month of the last twelve.
pub const QUIET_FROM: usize = MONTHS - 12;

/// For how many days before they left the loud churners scored low.
pub const LOW_DAYS: i32 = 183;

/// From this day on the silent accounts' field feedback is bad.
pub(super) const SILENT_FEEDBACK_FROM: Day = calendar::day(2026, 6, 15);

/// The month in which response time starts to rise in NA, and billing accuracy to fall.
pub const THEMES_TURN: usize = month(2026, 7);

/// From this month on the silent accounts' touches are halved.
pub const TOUCHES_FALL: usize = MONTHS - 3;

/// The share of open field feedback that is past its due date, severe or not.
pub const OVERDUE: f64 = 0.15;

/// The share of open, negative feedback of severity 4 and 5 that is past its due date.
pub const OVERDUE_SEVERE: f64 = 0.4;

/// The share of executives who left silent and quiet accounts, where nothing they answered speaks against it.
pub const LEAVING_SPONSORS: f64 = 0.75;

/// The share of all other contacts who left.
pub const LEAVING_USUAL: f64 = 0.04;

/// About the recurring revenue of the last month from those who were customers a year before, over what they brought
/// then: Enterprise, Mid-market and Small. Few accounts of any size leave, so it differs by some points from seed to seed.
pub const NET_RETENTION: [f64; 3] = [1.08, 1.0, 0.9];

/// The growth that brings [`NET_RETENTION`] about, of those who stay.
pub(super) const YEARLY_GROWTH: [f64; 3] = [0.18, 0.07, -0.07];

/// The share of their contracts that the loud churners have given up when they leave.
pub const LOUD_CONTRACTION: f64 = 0.35;

/// The share that those give up in their last three months who leave without a word.
pub const QUIET_CONTRACTION: f64 = 0.15;

/// What is left of revenue after direct cost: Enterprise, Mid-market and Small.
pub const MARGINS: [f64; 3] = [0.45, 0.38, 0.3];

/// Where most escalations are for want of people.
pub const STAFFING_OFFICE: &str = "Bangalore";

/// From this month on EMEA closes escalations sooner.
pub const EMEA_CLOSES_SOONER: usize = month(2026, 4);

/// The root causes of escalations with their usual weight.
pub(super) const CAUSES: [(&str, f64); 7] = [
    ("staffing", 15.0),
    ("process", 19.0),
    ("product defect", 20.0),
    ("billing error", 15.0),
    ("communication", 14.0),
    ("third party", 8.0),
    ("unclear scope", 9.0),
];

/// The weights of [`CAUSES`] in this office.
pub(super) fn cause_weights(office: usize) -> [f64; 7] {
    let mut weights = CAUSES.map(|(_, weight)| weight);
    if office_number(STAFFING_OFFICE) == Some(office) {
        weights[0] *= 8.0;
    }
    weights
}

/// How many days it takes on average to close an escalation that was opened in this month.
pub(super) fn days_to_close(region: Region, month: usize) -> f64 {
    const USUAL: f64 = 11.0;
    match region {
        Region::Na => 2.0 * USUAL,
        Region::Emea if month >= EMEA_CLOSES_SOONER => 0.6 * USUAL,
        Region::Emea | Region::Apac => USUAL,
    }
}

/// Where calls to detractors are no longer made.
pub const STALLED_OFFICE: &str = "Seattle";

/// Whether this office makes no calls to those who complained in this month.
pub(super) fn follow_ups_stall(office: usize, month: usize) -> bool {
    month >= MONTHS - 3 && office_number(STALLED_OFFICE) == Some(office)
}

/// The month in which partners in NA start to tell of response time.
pub const PARTNERS_TURN: usize = THEMES_TURN - 2;

/// Offices and touchpoints that are green inside while their customers turn away. Few answer about one touchpoint: at
/// scale 1 the fall is plain for phone calls, and for support tickets only in what Seattle's customers say as a whole.
pub const WATERMELONS: [(&str, &str); 2] = [("Seattle", "support ticket"), ("Seattle", "phone call")];

/// An office and touchpoint that is red inside while its customers are happy.
pub const HIDDEN_GEM: (&str, &str) = ("London", "invoice");

/// How far above its target this touchpoint is, in points, when that has nothing to do with what customers think.
pub(super) fn watermelon(office: &str, touchpoint: &str) -> Option<f64> {
    match (office, touchpoint) {
        HIDDEN_GEM => Some(-6.0),
        cell => WATERMELONS.contains(&cell).then_some(3.0),
    }
}

/// What an office is assessed on.
pub const COMPETENCIES: [&str; 5] = ["listening", "ownership", "expertise", "collaboration", "follow-through"];

/// The office that thinks better of itself than its customers do.
pub const OVERRATED_OFFICE: &str = "Chicago";

/// The office that got better from the first round of assessment to the second.
pub const IMPROVED_OFFICE: &str = "Dublin";

/// Who rates an office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rater {
    Itself,
    Peer,
    CustomerPanel,
}

impl Rater {
    pub(super) const ALL: [Self; 3] = [Self::Itself, Self::Peer, Self::CustomerPanel];

    /// The name in the data.
    pub fn name(self) -> &'static str {
        ["self", "peer", "customer panel"][self as usize]
    }
}

/// How far the scores of this office are from the industry's, in points of a scale from 1 to 5.
pub(super) fn assessed(office: usize, round: usize, rater: Rater, competency: usize) -> f64 {
    let at = &OFFICES[office];
    let listening = competency == 0 && at.region == Region::Emea;
    let follow_through = competency == COMPETENCIES.len() - 1;
    let work = match at.region {
        _ if listening => 0.7,
        Region::Na if follow_through => -0.4,
        _ if follow_through => 0.13,
        _ => 0.33,
    };
    let leniency = match rater {
        Rater::Itself if at.name == OVERRATED_OFFICE => 1.15,
        Rater::Itself => 0.2,
        Rater::CustomerPanel if at.name == OVERRATED_OFFICE => -0.5,
        Rater::Peer | Rater::CustomerPanel => 0.0,
    };
    let improved = if at.name == IMPROVED_OFFICE { 0.7 * round as f64 - 0.25 } else { 0.0 };
    work + leniency + improved
}

/// The initiative that began as Seattle's customers began to turn away.
pub const SEATTLE_INITIATIVE: &str = "Seattle support desk moves to a shared centre";

/// The initiative since whose end EMEA closes escalations sooner.
pub const EMEA_INITIATIVE: &str = "One owner for every escalation";

/// By how much currencies move against USD from January to September 2026.
pub const CURRENCY_MOVES: [(&str, f64); 2] = [("JPY", -0.1), ("EUR", 0.05)];

/// What money is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Marketing,
    Sales,
    Experience,
    Support,
}

impl Function {
    pub(super) const ALL: [Self; 4] = [Self::Marketing, Self::Sales, Self::Experience, Self::Support];

    /// The name in the data.
    pub fn name(self) -> &'static str {
        ["marketing", "sales", "experience", "support"][self as usize]
    }

    /// What a touch costs where nothing is out of line, in USD.
    pub fn base_rate(self) -> f64 {
        [18.0, 95.0, 42.0, 11.0][self as usize]
    }

    /// Touches per employee and month.
    pub(super) fn touches_per_head(self) -> f64 {
        [12.0, 4.0, 3.0, 20.0][self as usize]
    }
}

/// How much of the base rate this region pays. The medians are taken over offices with their noise and outliers, so
/// NA's factors differ a little from the ratios that come out.
pub(super) fn region_factor(region: Region, function: Function) -> f64 {
    let reach = matches!(function, Function::Marketing | Function::Sales);
    match (region, reach) {
        (Region::Na, true) => 6.7,
        (Region::Na, false) => 0.59,
        (Region::Emea, true) => 0.93,
        (Region::Emea, false) => EMEA_OVER_APAC,
        (Region::Apac, _) => 1.0,
    }
}

/// How many times its region's rate this office pays, when it is one of [`OUTLIERS`].
pub(super) fn outlier(office: usize, function: Function, month: usize) -> Option<f64> {
    let mut found = OUTLIERS.iter().filter(|(name, ..)| office_number(name) == Some(office));
    found.find(|(_, of, _, since)| *of == function && month >= *since).map(|(_, _, times, _)| *times)
}

/// What of a cost cell arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    Whole,
    /// No rows at all.
    Missing,
    /// Cost arrived, touches are null.
    NoTouches,
    /// Touches arrived, cost is null.
    NoCost,
    /// Zero touches and a cost of 0.00, said explicitly.
    Zero,
    /// Only the first of the three categories.
    FirstCategory,
}

/// What arrived from this office for this function and month.
pub fn reported(office: &str, function: Function, at: usize) -> Reported {
    use Function::{Experience, Marketing, Sales, Support};
    let since = |year, first| at >= month(year, first);
    match (office, function) {
        ("Osaka", _) if since(2026, 9) => Reported::Missing,
        ("Warsaw", Marketing | Sales) if since(2026, 7) => Reported::Missing,
        ("Vancouver", _) if at == month(2025, 12) || at == month(2026, 6) => Reported::Missing,
        ("Milan", Support) if since(2026, 5) => Reported::NoTouches,
        ("Delhi", Experience) if since(2026, 9) => Reported::NoCost,
        ("Chennai", Marketing) if since(2026, 8) => Reported::Zero,
        ("Frankfurt", Experience) if since(2026, 9) => Reported::FirstCategory,
        _ => Reported::Whole,
    }
}

/// The Net Promoter Score that this office is heading for in this month, in points, before what is particular to it.
pub fn nps(office: &str, region: Region, month: usize) -> f64 {
    let progress = month as f64 / (MONTHS - 1) as f64;
    match region {
        Region::Na if office == "Seattle" => seattle(month),
        Region::Na => 12.0,
        Region::Emea => 42.0 + 8.0 * progress,
        Region::Apac => 30.0,
    }
}

/// The share of requests that this office's customers answer. Seattle's answer more often than others: it is a small
/// office, and its fall would be lost in the noise of a few answers a month.
pub(super) fn answer_rate(office: &str) -> f64 {
    if office == "Seattle" { 0.75 } else { 0.4 }
}

/// 25 points until the end of 2025, then down to -15 in the last month.
fn seattle(at: usize) -> f64 {
    let months = at.saturating_sub(month(2025, 12)) as f64;
    25.0 - 40.0 * months / 9.0
}

/// The themes of field feedback with their usual weight.
pub(super) const THEMES: [(&str, f64); 10] = [
    ("response time", 14.0),
    ("pricing", 12.0),
    ("staff turnover", 8.0),
    ("billing accuracy", 13.0),
    ("product quality", 13.0),
    ("communication", 12.0),
    ("onboarding", 9.0),
    ("reporting", 9.0),
    ("competitor interest", 5.0),
    ("executive sponsor", 5.0),
];

/// The weights of [`THEMES`] in this region and month.
pub(super) fn theme_weights(region: Region, month: usize) -> [f64; 10] {
    let mut weights = THEMES.map(|(_, weight)| weight);
    if month >= THEMES_TURN {
        weights[0] *= if region == Region::Na { 4.0 } else { 1.0 };
        weights[3] *= 0.3;
    }
    weights
}

/// The weights of [`THEMES`] for partners: as customers', but what rises in NA is told of earlier.
pub(super) fn partner_theme_weights(region: Region, month: usize) -> [f64; 10] {
    let mut weights = theme_weights(region, month);
    if region == Region::Na && (PARTNERS_TURN..THEMES_TURN).contains(&month) {
        weights[0] = theme_weights(region, THEMES_TURN)[0];
    }
    weights
}

/// The themes that are heard before an account leaves without having complained, by their place in [`THEMES`].
pub(super) const QUIET_THEMES: [usize; 3] = [8, 9, 2];
