using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Runtime.Serialization.Json;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Bulla
{
    /// <summary>
    /// What a policy decided: docs/policy.md, "Decision". Words for people (what was known, what is wanted, messages)
    /// may change; the rest may not.
    /// </summary>
    public sealed class Decision
    {
        /// <summary>The rights that are granted.</summary>
        public Rights Rights { get; }

        /// <summary>Until when, exclusive; null without an end, or if no right is granted.</summary>
        public DateTimeOffset? Until { get; }

        /// <summary>Why what the policy requires, or one of its grants, did not hold.</summary>
        public IReadOnlyList<Refusal> Refused { get; }

        /// <summary>Rights that would be granted if the program declared more duties.</summary>
        public IReadOnlyList<WithheldRight> Withheld { get; }

        /// <summary>The decision as the library gave it.</summary>
        public string Json { get; }

        private Decision(string json)
        {
            Json = json;
            XElement root = JsonText.Parse(json);
            foreach (XElement each in JsonText.Items(root, "rights"))
                Rights |= JsonText.Right(JsonText.String(each, "right"));
            string until = JsonText.String(root, "until");
            if (until != null)
                Until = DateTimeOffset.Parse(until, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
            Refused = JsonText.Items(root, "refused").Select(each => new Refusal(each)).ToList().AsReadOnly();
            Withheld = JsonText.Items(root, "withheld").Select(each => new WithheldRight(each)).ToList().AsReadOnly();
        }

        internal static Decision Parse(string json) => json == null ? null : new Decision(json);
    }

    /// <summary>Why a grant, or what a policy requires, did not hold.</summary>
    public sealed class Refusal
    {
        /// <summary>The number of the grant, from 0; null for what the policy requires of all.</summary>
        public int? Grant { get; }

        /// <summary>The condition that failed, such as <c>hours</c>; or <c>badge</c>, or <c>to</c>.</summary>
        public string Failed { get; }

        /// <summary><c>unknown</c>, <c>provenance</c> or <c>unmet</c>.</summary>
        public string Cause { get; }

        /// <summary>What was known, for people; null if nothing was.</summary>
        public string Known { get; }

        /// <summary>How it was known: <c>measured</c>, <c>attested</c> or <c>asserted</c>; null if it was not.</summary>
        public string By { get; }

        /// <summary>How it would have to be known.</summary>
        public string Accept { get; }

        /// <summary>What would do, for people.</summary>
        public string Wanted { get; }

        /// <summary>All of it in a sentence, for people.</summary>
        public string Message { get; }

        internal Refusal(XElement json)
        {
            string grant = JsonText.String(json, "grant");
            if (grant != null) Grant = int.Parse(grant, CultureInfo.InvariantCulture);
            Failed = JsonText.String(json, "failed");
            Cause = JsonText.String(json, "cause");
            Known = JsonText.String(json, "known");
            By = JsonText.String(json, "by");
            Accept = JsonText.String(json, "accept");
            Wanted = JsonText.String(json, "wanted");
            Message = JsonText.String(json, "message");
        }
    }

    /// <summary>A right that was not granted because the program did not declare its duties.</summary>
    public sealed class WithheldRight
    {
        /// <summary>The right; <see cref="Rights.None"/> for one that this version does not know.</summary>
        public Rights Right { get; }

        /// <summary>The names of the duties that were not declared.</summary>
        public IReadOnlyList<string> Undeclared { get; }

        /// <summary>All of it in a sentence, for people.</summary>
        public string Message { get; }

        internal WithheldRight(XElement json)
        {
            Right = JsonText.Right(JsonText.String(json, "right"));
            Undeclared = JsonText.Items(json, "undeclared").Select(each => each.Value).ToList().AsReadOnly();
            Message = JsonText.String(json, "message");
        }
    }

    /// <summary>Reads JSON, which the runtime's own reader shows as XML.</summary>
    internal static class JsonText
    {
        internal static XElement Parse(string json)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(json);
            using (var reader = JsonReaderWriterFactory.CreateJsonReader(bytes, XmlDictionaryReaderQuotas.Max))
                return XElement.Load(reader);
        }

        /// <summary>A string or number; null if it is missing or null.</summary>
        internal static string String(XElement of, string key)
        {
            XElement found = of.Element(key);
            return found == null || (string)found.Attribute("type") == "null" ? null : found.Value;
        }

        internal static IEnumerable<XElement> Items(XElement of, string key)
        {
            XElement found = of.Element(key);
            return found == null ? Enumerable.Empty<XElement>() : found.Elements();
        }

        internal static Rights Right(string name)
        {
            switch (name)
            {
                case "view": return Rights.View;
                case "edit": return Rights.Edit;
                case "print": return Rights.Print;
                case "copy": return Rights.Copy;
                case "capture": return Rights.Capture;
                case "export": return Rights.Export;
                default: return Rights.None;
            }
        }
    }
}
