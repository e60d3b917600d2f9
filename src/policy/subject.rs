//! To whom a grant is made.

use super::condition::some;
use super::facts::Badge;
use super::read::At;
use crate::error::Result;
use std::sync::Arc;

/// One of those to whom a grant is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Anyone,
    User(String),
    Role(String),
    Group(String),
}

/// All of them. One that matches is enough.
#[derive(Clone, Debug)]
pub(super) struct Audience {
    pub subjects: Vec<Subject>,
    /// In words.
    pub wanted: Arc<str>,
}

impl Subject {
    fn parse(at: &At<'_>) -> Result<Subject> {
        if at.value.is_string() {
            return at.named(&[()], |()| "anyone", "subject").map(|()| Subject::Anyone);
        }
        let o = at.object(&["user", "role", "group"])?;
        let name = |key| o.get(key).map(|at| at.text(256).map(str::to_owned)).transpose();
        match (name("user")?, name("role")?, name("group")?) {
            (Some(user), None, None) => Ok(Subject::User(user)),
            (None, Some(role), None) => Ok(Subject::Role(role)),
            (None, None, Some(group)) => Ok(Subject::Group(group)),
            _ => Err(at.error("must be one of a user, a role and a group, not several")),
        }
    }

    fn show(&self) -> String {
        match self {
            Subject::Anyone => "anyone".into(),
            Subject::User(name) => format!("user {name}"),
            Subject::Role(name) => format!("role {name}"),
            Subject::Group(name) => format!("group {name}"),
        }
    }
}

impl Audience {
    pub fn parse(at: &At<'_>) -> Result<Audience> {
        let subjects = at.distinct(1000, Subject::parse)?;
        let wanted = some(subjects.iter().map(Subject::show)).into();
        Ok(Audience { subjects, wanted })
    }

    /// Whether only a badge gets in.
    pub fn needs_badge(&self) -> bool {
        !self.subjects.contains(&Subject::Anyone)
    }

    /// Whether the badge's claims match.
    pub fn admits(&self, badge: &Badge) -> bool {
        self.subjects.iter().any(|s| match s {
            Subject::Anyone => true,
            Subject::User(name) => badge.subject == *name,
            Subject::Role(name) => badge.roles.contains(name),
            Subject::Group(name) => badge.groups.contains(name),
        })
    }
}
