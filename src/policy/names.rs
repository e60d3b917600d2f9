//! The closed vocabularies of the policy language. A word that is not here is refused.

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$item_doc])* $item,)* }

        impl $name {
            /// All of them, in their fixed order.
            pub const ALL: &[$name] = &[$($name::$item),*];

            /// The word that stands for it in policies, facts and decisions.
            pub fn name(self) -> &'static str {
                match self { $($name::$item => $text,)* }
            }

            /// The one with this exact name.
            pub fn from_name(name: &str) -> Option<$name> {
                match name { $($text => Some($name::$item),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let name = String::deserialize(d)?;
                Self::from_name(&name)
                    .ok_or_else(|| serde::de::Error::custom("a word that is not known here"))
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary! {
    /// What may be done with a file, in the order in which decisions list it.
    Right {
        /// Read the contents in a program.
        View = "view",
        /// Save changed contents back, sealed under the same license.
        Edit = "edit",
        /// Print.
        Print = "print",
        /// Put contents on the clipboard.
        Copy = "copy",
        /// Take pictures of the screen.
        Capture = "capture",
        /// Let plain bytes leave.
        Export = "export",
    }
}

vocabulary! {
    /// The conditions, in the order in which they are checked and reported.
    Condition {
        /// Between two points in time.
        Valid = "valid",
        /// The list of revocations is fresh.
        Revocations = "revocations",
        /// The audit trail was shown to somebody recently.
        Anchored = "anchored",
        /// One of the named devices.
        Devices = "devices",
        /// Inside weekly windows of a time zone.
        Hours = "hours",
        /// Local network addresses.
        Network = "network",
        /// The program that opens.
        Software = "software",
        /// The kind of storage under the file.
        Storage = "storage",
        /// Fresh attestations of named kinds.
        Attested = "attested",
        /// Facts about the state of the device.
        Posture = "posture",
        /// A ticket was named.
        Ticket = "ticket",
        /// Not too many opens in a rolling window.
        Opens = "opens",
    }
}

vocabulary! {
    /// What the host must do while a right is used.
    Duty {
        /// Draw the session's watermark over what is shown or printed.
        Watermark = "watermark",
        /// Keep the screen from being captured.
        BlockCapture = "block-capture",
        /// Keep contents from the clipboard.
        BlockClipboard = "block-clipboard",
        /// Hide the named columns.
        Mask = "mask",
        /// Remove decrypted remains when the file is closed.
        Wipe = "wipe",
    }
}

vocabulary! {
    /// How a fact is known, from the weakest to the strongest.
    Provenance {
        /// The host program says so.
        Asserted = "asserted",
        /// The library measured it, inside a process that the user controls.
        Measured = "measured",
        /// A token signed by a trusted key says so.
        Attested = "attested",
    }
}

vocabulary! {
    /// How the program that opens is run.
    Mode {
        /// Any program.
        Bare = "bare",
        /// A program whose SHA-256 the root's trust list names.
        Managed = "managed",
        /// A client of the confining view.
        Confined = "confined",
    }
}

vocabulary! {
    /// The kind of storage under a file.
    Storage {
        /// Built in.
        Fixed = "fixed",
        /// Can be pulled out and taken away.
        Removable = "removable",
        /// On another machine.
        Network = "network",
    }
}

impl Condition {
    /// The least provenance that satisfies the condition where the policy does not say.
    pub fn least(self) -> Provenance {
        match self {
            Condition::Valid
            | Condition::Devices
            | Condition::Hours
            | Condition::Network
            | Condition::Software
            | Condition::Storage
            | Condition::Opens => Provenance::Measured,
            Condition::Revocations
            | Condition::Anchored
            | Condition::Attested
            | Condition::Posture => Provenance::Attested,
            Condition::Ticket => Provenance::Asserted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for &r in Right::ALL {
            assert_eq!(Right::from_name(r.name()), Some(r));
        }
        assert_eq!(Right::from_name("View"), None);
        assert_eq!(Right::from_name(""), None);
        assert!(Provenance::Asserted < Provenance::Measured);
        assert!(Provenance::Measured < Provenance::Attested);
    }

    /// Decisions and reasons depend on these orders: changing one changes the format.
    #[test]
    fn orders_are_fixed() {
        let conditions: Vec<_> = Condition::ALL.iter().map(|c| c.name()).collect();
        assert_eq!(
            conditions.join(" "),
            "valid revocations anchored devices hours network software storage attested posture \
             ticket opens"
        );
        let rights: Vec<_> = Right::ALL.iter().map(|r| r.name()).collect();
        assert_eq!(rights.join(" "), "view edit print copy capture export");
    }
}
