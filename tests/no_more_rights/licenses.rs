//! Licenses changed, exchanged and made anew.

use crate::Attempt;
use crate::support::forge::{Envelope, Secrets, Token, b64, unb64, wrap};
use crate::world::{LAX, Try, World, root_secrets, secrets};
use bulla::{Code, Permit, Result, Signatory, Template};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A license of this envelope with a lax policy, and its key, which the desk holds, wrapped under
/// it for the desk.
fn loosened(w: &World, sealed: &[u8]) -> (Envelope, Token) {
    let (envelope, desk) = (Envelope::of(sealed), secrets(&w.desk));
    let mut token = envelope.token();
    let (key, _) = desk.unwrap(&token.claims);
    token.claims["policy"] = b64(LAX.as_bytes()).into();
    wrap(&mut token.claims, &key, &[desk.public()]);
    (envelope, token)
}

/// The strict file under a loosened license with a header like this, signed by somebody.
fn under(w: &World, t: &mut Try, kid: &str, by: &Secrets) -> Result<()> {
    let (envelope, mut token) = loosened(w, &w.strict);
    token.claims["seq"] = 2.into();
    token.header["kid"] = kid.into();
    t.license(&envelope, token.signed(&by.signing));
    Ok(())
}

/// A header member of a loosened license is changed by the attacker; the insurer leaves it.
fn header(w: &World, t: &mut Try, honest: bool, name: &str, value: Value) -> Result<()> {
    let (envelope, mut token) = loosened(w, &w.strict);
    token.claims["seq"] = 2.into();
    if !honest {
        token.header[name] = value;
    }
    t.license(&envelope, token.signed(&w.keys(honest).signing));
    Ok(())
}

/// The lax file that the desk sealed itself, with its license changed and signed by the desk again,
/// as it may; honestly, nothing was changed.
fn delegated(
    w: &World,
    t: &mut Try,
    honest: bool,
    change: impl FnOnce(&World, &mut Token),
) -> Result<()> {
    let envelope = Envelope::of(&w.freed);
    let mut token = envelope.token();
    if !honest {
        change(w, &mut token);
    }
    t.license(&envelope, token.signed(&secrets(&w.desk).signing));
    Ok(())
}

/// The id that the desk may use for a file under the template in these claims.
fn own_file_id(w: &World, claims: &Value) -> String {
    let text = |name: &str| claims[name].as_str().unwrap();
    let nonce = HEXLOWER.decode(text("nonce").as_bytes()).unwrap();
    let template = Sha256::digest(text("template"));
    let device = unb64(&w.desk.thumbprint().to_string());
    let id = [b"bulla/1 file\0", &template[..], &device, &nonce].concat();
    HEXLOWER.encode(&Sha256::digest(id)[..16])
}

/// A template and its permit in place of the clerk's, with all that hangs on them made to fit.
fn under_template(w: &World, token: &mut Token, template: &str, permit: &str) {
    let desk = secrets(&w.desk);
    let (key, _) = desk.unwrap(&token.claims);
    token.claims["template"] = template.into();
    token.claims["permit"] = permit.into();
    token.claims["policy"] = Token::of(template).claims["policy"].clone();
    token.claims["file"] = own_file_id(w, &token.claims).into();
    wrap(&mut token.claims, &key, &[desk.public()]);
}

/// The clerk's lax template and permit, changed and signed by somebody in some name.
fn forged_template(w: &World, kid: &str, by: &Secrets) -> (String, String) {
    let lax = &w.templates[1];
    let file = lax.0.to_file();
    let sign = |text: &str, edit: &dyn Fn(&mut Value)| {
        let mut token = Token::of(text);
        token.header["kid"] = kid.into();
        edit(&mut token.claims);
        token.signed(&by.signing)
    };
    let template = sign(file.lines().next().unwrap(), &|claims| claims["label"] = "".into());
    let digest = b64(&Sha256::digest(&template));
    let permit = sign(lax.1.as_str(), &|claims| claims["template"] = digest.as_str().into());
    (template, permit)
}

fn kid(secrets: &Secrets) -> String {
    secrets.thumbprint()
}

pub const ATTEMPTS: &[Attempt] = &[
    ("a laxer license by the device", Code::License, |w, t, honest| {
        let by = w.keys(honest);
        under(w, t, &kid(&by), &by)
    }),
    ("a laxer license by the device in the root's name", Code::Signature, |w, t, honest| {
        under(w, t, &kid(&w.keys(true)), &w.keys(honest))
    }),
    ("a laxer license for the root by an own root", Code::License, |w, t, honest| {
        let by = root_secrets(w.root(honest));
        under(w, t, &kid(&by), &by)
    }),
    ("a laxer license in the root's name by an own root", Code::Signature, |w, t, honest| {
        under(w, t, &kid(&w.keys(true)), &root_secrets(w.root(honest)))
    }),
    ("a laxer license under an own root that is not pinned", Code::UnknownRoot, |w, t, honest| {
        let (envelope, mut token) = loosened(w, &w.strict);
        let root = w.root(honest).thumbprint().to_string();
        token.header["kid"] = root.as_str().into();
        token.claims["iss"] = root.into();
        for folder in ["roots", "trust"] {
            t.remove(&format!("{folder}/{}", w.own.thumbprint()));
        }
        t.license(&envelope, token.signed(&root_secrets(w.root(honest)).signing));
        Ok(())
    }),
    ("a laxer license under an own root, wraps as they were", Code::Wrap, |w, t, honest| {
        let (envelope, mut token) = loosened(w, &w.strict);
        let root = w.root(honest).thumbprint().to_string();
        token.header["kid"] = root.as_str().into();
        token.claims["iss"] = root.into();
        if !honest {
            token.claims["wraps"] = envelope.token().claims["wraps"].clone();
        }
        t.license(&envelope, token.signed(&root_secrets(w.root(honest)).signing));
        Ok(())
    }),
    ("the policy exchanged, the signature as it was", Code::Signature, |w, t, honest| {
        let (envelope, token) = loosened(w, &w.strict);
        let mut license = token.signed(&w.keys(true).signing);
        if !honest {
            let old = envelope.license.rsplit('.').next().unwrap();
            license = format!("{}.{old}", license.rsplit_once('.').unwrap().0);
        }
        t.license(&envelope, license);
        Ok(())
    }),
    ("the license of a laxer file", Code::Commitment, |w, t, honest| {
        let lax = Envelope::of(&w.lax);
        let content = if honest { lax.clone() } else { Envelope::of(&w.strict) };
        t.license(&content, lax.license);
        Ok(())
    }),
    ("the license of a laxer file, and its description", Code::Commitment, |w, t, honest| {
        let mut lax = Envelope::of(&w.lax);
        if !honest {
            lax.payload = Envelope::of(&w.strict).payload;
        }
        t.file = lax.bytes();
        Ok(())
    }),
    ("the license of another file of the batch", Code::Commitment, |w, t, honest| {
        let [first, second] = [0, 1].map(|i| Envelope::of(&w.batch[i]));
        t.license(if honest { &first } else { &second }, first.license.clone());
        Ok(())
    }),
    ("the wraps of a laxer file", Code::Signature, |w, t, honest| {
        let (lax, mut token) = (Envelope::of(&w.lax), Envelope::of(&w.lax).token());
        if !honest {
            token.claims["file"] = Envelope::of(&w.strict).token().claims["file"].clone();
        }
        t.license(&lax, token.signed(&w.keys(honest).signing));
        Ok(())
    }),
    ("a key in the header of an issued license", Code::License, |w, t, honest| {
        header(w, t, honest, "jwk", secrets(&w.desk).jwk())
    }),
    ("alg none", Code::License, |w, t, honest| header(w, t, honest, "alg", "none".into())),
    ("alg EdDSA", Code::License, |w, t, honest| header(w, t, honest, "alg", "EdDSA".into())),
    ("alg HS256", Code::License, |w, t, honest| header(w, t, honest, "alg", "HS256".into())),
    ("the typ of a template", Code::License, |w, t, honest| {
        header(w, t, honest, "typ", "bulla-template+jwt".into())
    }),
    ("crit in the header", Code::License, |w, t, honest| {
        header(w, t, honest, "crit", json!(["exp"]))
    }),
    ("no signature at all", Code::License, |w, t, honest| {
        let (envelope, token) = loosened(w, &w.strict);
        let license = token.signed(&w.keys(true).signing);
        let unsigned = format!("{}.", license.rsplit_once('.').unwrap().0);
        t.license(&envelope, if honest { license } else { unsigned });
        Ok(())
    }),
    ("delegated, for a file that exists", Code::NotPermitted, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            let strict = Envelope::of(&w.strict).token().claims;
            let (key, _) = secrets(&w.desk).unwrap(&strict);
            token.claims["file"] = strict["file"].clone();
            wrap(&mut token.claims, &key, &[secrets(&w.desk).public()]);
        })
    }),
    ("delegated, over the content of a file that exists", Code::Commitment, |w, t, honest| {
        let (strict, freed) = (Envelope::of(&w.strict), Envelope::of(&w.freed));
        let (mut token, desk) = (freed.token(), secrets(&w.desk));
        if !honest {
            let (key, _) = desk.unwrap(&strict.token().claims);
            wrap(&mut token.claims, &key, &[desk.public()]);
        }
        t.license(if honest { &freed } else { &strict }, token.signed(&desk.signing));
        Ok(())
    }),
    ("delegated, with a laxer policy than the template's", Code::NotPermitted, |w, t, honest| {
        let (envelope, token) = loosened(w, if honest { &w.freed } else { &w.noted });
        t.license(&envelope, token.signed(&secrets(&w.desk).signing));
        Ok(())
    }),
    ("delegated, a strict file under a lax template", Code::NotPermitted, |w, t, honest| {
        let (envelope, mut token) = loosened(w, if honest { &w.freed } else { &w.noted });
        let lax = Envelope::of(&w.freed).token().claims;
        for part in ["template", "permit", "label"] {
            token.claims[part] = lax[part].clone();
        }
        t.license(&envelope, token.signed(&secrets(&w.desk).signing));
        Ok(())
    }),
    ("delegated, the same with the id that fits", Code::Commitment, |w, t, honest| {
        let (envelope, mut token) = loosened(w, if honest { &w.freed } else { &w.noted });
        let lax = Envelope::of(&w.freed).token().claims;
        let text = |name: &str| lax[name].as_str().unwrap();
        under_template(w, &mut token, text("template"), text("permit"));
        t.license(&envelope, token.signed(&secrets(&w.desk).signing));
        Ok(())
    }),
    ("delegated, for one more recipient", Code::NotPermitted, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            let (key, _) = secrets(&w.desk).unwrap(&token.claims);
            let to = [secrets(&w.desk).public(), secrets(&w.other).public()];
            wrap(&mut token.claims, &key, &to);
        })
    }),
    ("delegated, with a number", Code::License, |w, t, honest| {
        delegated(w, t, honest, |_, token| token.claims["seq"] = 9.into())
    }),
    ("delegated, without its permit", Code::License, |w, t, honest| {
        delegated(w, t, honest, |_, token| {
            token.claims.as_object_mut().unwrap().remove("permit");
        })
    }),
    ("delegated, the permit of another device", Code::NotPermitted, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            let clerk = Signatory::Identity(&w.clerk);
            let other = w.other.thumbprint();
            let permit = Permit::sign(clerk, &w.templates[1].0, other, w.now, w.now + 60);
            token.claims["permit"] = permit.as_str().into();
        })
    }),
    ("delegated, the permit of another template", Code::NotPermitted, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            token.claims["permit"] = w.templates[0].1.as_str().into();
        })
    }),
    ("delegated, a permit by the device", Code::NotPermitted, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            let desk = Signatory::Identity(&w.desk);
            let device = w.desk.thumbprint();
            let permit = Permit::sign(desk, &w.templates[1].0, device, w.now, w.now + 60);
            token.claims["permit"] = permit.as_str().into();
        })
    }),
    ("delegated, a permit in the signer's name", Code::Signature, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            let permit = w.again(w.templates[1].1.as_str(), false, |_| {});
            token.claims["permit"] = permit.into();
        })
    }),
    ("delegated, a template by the device", Code::NotTrusted, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            let desk = secrets(&w.desk);
            let (template, permit) = forged_template(w, &kid(&desk), &desk);
            under_template(w, token, &template, &permit);
        })
    }),
    ("delegated, a template in the signer's name", Code::Signature, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            let (template, permit) =
                forged_template(w, &kid(&secrets(&w.clerk)), &secrets(&w.desk));
            under_template(w, token, &template, &permit);
        })
    }),
    ("delegated, a template by whoever signs permits", Code::NotTrusted, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            let lead = secrets(&w.lead);
            let (template, permit) = forged_template(w, &kid(&lead), &lead);
            under_template(w, token, &template, &permit);
        })
    }),
    ("delegated, a permit by whoever signs templates", Code::NotTrusted, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            let leaver = secrets(&w.leaver);
            let (template, permit) = forged_template(w, &kid(&leaver), &leaver);
            under_template(w, token, &template, &permit);
        })
    }),
    ("delegated, a template by an own root", Code::NotTrusted, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            let own = root_secrets(&w.own);
            let (template, permit) = forged_template(w, &kid(&own), &own);
            under_template(w, token, &template, &permit);
        })
    }),
    ("delegated, an own root's template for the insurer", Code::NotPermitted, |w, t, honest| {
        // The clerk is on the own root's list, too; the template is for that root's files.
        delegated(w, t, honest, |w, token| {
            let edit = |text: &str, name: &str, value: String| {
                let mut part = Token::of(text);
                part.claims["iss"] = w.own.thumbprint().to_string().into();
                part.claims[name] = value.into();
                part.signed(&secrets(&w.clerk).signing)
            };
            let file: &Template = &w.templates[1].0;
            let file = file.to_file();
            let template = edit(file.lines().next().unwrap(), "label", String::new());
            let digest = b64(&Sha256::digest(&template));
            let permit = edit(w.templates[1].1.as_str(), "template", digest);
            under_template(w, token, &template, &permit);
        })
    }),
    ("delegated, the insurer's template under an own root", Code::NotPermitted, |w, t, honest| {
        delegated(w, t, honest, |w, token| {
            token.claims["iss"] = w.own.thumbprint().to_string().into();
        })
    }),
    ("another revision than was saved", Code::Commitment, |w, t, honest| {
        let mut lax = Envelope::of(&w.lax);
        if !honest {
            let prev = b64(&[7; 32]);
            lax.description = lax
                .description
                .replace("\"rev\":1,\"prev\":\"\"", &format!("\"rev\":2,\"prev\":\"{prev}\""));
            assert_ne!(lax.description, Envelope::of(&w.lax).description);
        }
        t.file = lax.bytes();
        Ok(())
    }),
    ("older, laxer terms", Code::Rollback, |w, t, honest| {
        let (envelope, mut token) = loosened(w, &w.strict);
        let root = root_secrets(&w.insurer);
        token.claims["seq"] = 4.into();
        let lax = token.signed(&root.signing);
        // The insurer's next license is as strict as the first.
        let mut strict = envelope.token();
        strict.claims["seq"] = if honest { 3 } else { 5 }.into();
        t.view(&Envelope { license: strict.signed(&root.signing), ..envelope.clone() }.bytes());
        t.license(&envelope, lax);
        Ok(())
    }),
];

/// Nothing binds content or wraps to the root, so whoever pins a root of their own can sign the
/// terms of a file again in its name, and give badges for it.
pub const OPEN: &[Attempt] = &[
    ("the same terms under an own root, with its badge", Code::Commitment, |w, t, honest| {
        let (envelope, root) = (Envelope::of(&w.strict), w.root(honest));
        let mut token = envelope.token();
        token.header["kid"] = root.thumbprint().to_string().into();
        token.claims["iss"] = root.thumbprint().to_string().into();
        t.write("badge", &w.badge(Signatory::Root(root), "supervisor"));
        t.license(&envelope, token.signed(&root_secrets(root).signing));
        Ok(())
    }),
    ("laxer terms under an own root, wrapped anew", Code::Commitment, |w, t, honest| {
        let (envelope, mut token) = loosened(w, &w.strict);
        let root = w.root(honest);
        token.header["kid"] = root.thumbprint().to_string().into();
        token.claims["iss"] = root.thumbprint().to_string().into();
        t.license(&envelope, token.signed(&root_secrets(root).signing));
        Ok(())
    }),
];
