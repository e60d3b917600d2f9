//! Looking at an envelope without keys: everything that stands in the clear.

use crate::cobblestone::{ReadAt, plaintext_len};
use crate::encoding::{Id, KeyId, Thumbprint};
use crate::header::Header;
use crate::trust::Trust;
use crate::wrap::Scope;
use crate::{Result, clock, json};
use serde::Serialize;
use serde_json::Value;

/// What an envelope says of itself in the clear. Nothing of it is proved until
/// [`verify`](Inspection::verify) succeeds, and the sizes not even then.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// The format's version.
    pub format: u8,
    /// The file's id.
    pub file: Id,
    /// The license's id.
    pub license: Id,
    /// The license's number.
    pub seq: u64,
    /// The issuer: thumbprint of the root.
    pub issuer: Thumbprint,
    /// When the license was made: Unix seconds.
    pub issued_at: u64,
    /// The label.
    pub label: String,
    /// The policy as JSON; absent if it is none.
    pub policy: Option<Value>,
    /// The batch, if the file was sealed in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<Id>,
    /// To whom it is sealed.
    pub recipients: Vec<InspectedRecipient>,
    /// Of a delegated license: under which template which device made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation: Option<InspectedDelegation>,
    /// How often it was saved, the first sealing included.
    pub revision: u64,
    /// Bytes of the header.
    pub header_size: u64,
    /// Bytes of the envelope.
    pub sealed_size: u64,
    /// Bytes of the content, as the envelope's length says.
    pub content_size: u64,
    #[serde(skip)]
    header: Header,
}

/// A recipient of an envelope.
#[derive(Debug, Serialize)]
pub struct InspectedRecipient {
    /// The recipient's key id.
    pub key: KeyId,
    /// The kind of its key.
    pub kind: String,
    /// `file` or `batch`: what its wrap holds.
    pub scope: &'static str,
}

/// What a delegated license stands on.
#[derive(Debug, Serialize)]
pub struct InspectedDelegation {
    /// The sealing device's thumbprint.
    pub device: Thumbprint,
    /// The template's id.
    pub template: Id,
    /// The template's name.
    pub template_name: String,
    /// The permit's id.
    pub permit: Id,
}

/// Reads what stands in the clear.
///
/// # Errors
/// Class *format* if it is not a sound envelope.
pub fn inspect(source: &impl ReadAt) -> Result<Inspection> {
    let (header, payload) = Header::read(source)?;
    let claims = header.license.claims();
    let recipient = |w: &crate::wrap::Wrap| InspectedRecipient {
        key: w.to,
        kind: w.kind.clone(),
        scope: match w.scope {
            Scope::File => "file",
            Scope::Batch => "batch",
        },
    };
    Ok(Inspection {
        format: 1,
        file: claims.file,
        license: claims.jti,
        seq: claims.seq,
        issuer: claims.iss,
        issued_at: claims.iat,
        label: claims.label.clone(),
        policy: json::value(&claims.policy.0).ok(),
        batch: claims.batch,
        recipients: claims.wraps.iter().map(recipient).collect(),
        delegation: header.license.delegation.as_ref().map(|d| InspectedDelegation {
            device: header.license.token.kid(),
            template: d.template.claims.jti,
            template_name: d.template.claims.name.clone(),
            permit: d.permit.claims.jti,
        }),
        revision: header.description.rev,
        header_size: header.payload_at,
        sealed_size: header.payload_at + payload,
        content_size: plaintext_len(payload).unwrap_or_default(),
        header,
    })
}

impl Inspection {
    /// Verifies who signed, with the roots and lists given.
    ///
    /// # Errors
    /// Class *denied* if the signer does not count here, *tampered* if a signature does not hold.
    pub fn verify(&self, trust: &Trust) -> Result<()> {
        self.header.license.verify(trust, clock::now())
    }
}
