"""Forms of the pages: they read what was typed. What is allowed, services decide."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django import forms
from django.conf import settings

from annotations import caption_languages
from annotations.errors import DomainError
from annotations.models import Project, Role, Tag
from annotations.models.invitation import NOTE_MAX_CHARS
from annotations.types import TagSpec

TAGS_AT_ONCE_MAX = 2_000
TOKEN_DAYS = {30: "30 days", 90: "90 days", 365: "a year"}


class DomainForm(forms.Form):
    """A form that can show why a service refused what it sent."""

    def refuse(self, error: DomainError, field: str | None = None) -> None:
        self.add_error(field if field in self.fields else None, error.message)

    def chosen(self, names: Iterable[str]) -> dict[str, Any]:
        """The fields that were sent, so that one that a page leaves out keeps its value."""
        return {name: self.cleaned_data[name] for name in names if name in self.data}


class ProjectForm(DomainForm):
    """What a project starts with; everything but the name has a sensible value."""

    name = forms.CharField(max_length=200)
    description = forms.CharField(
        required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 2}), help_text="For the team."
    )
    instructions = forms.CharField(
        required=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="How to tag. Annotators can open it while they review.",
    )
    reviews_per_image = forms.IntegerField(
        initial=1,
        min_value=1,
        max_value=20,
        help_text="With two or more, the majority wins and a tie goes to a reviewer.",
    )
    holdout_percent = forms.IntegerField(
        initial=15,
        min_value=0,
        max_value=50,
        label="Holdout, percent",
        help_text="Images that are tagged without suggestions and never trained on: they judge the model. "
        "It counts for images imported from now on.",
    )
    unmarked = forms.ChoiceField(
        choices=[
            (Project.Unmarked.NO, "means no: a finished review answers every tag"),
            (Project.Unmarked.UNKNOWN, "means nothing: only explicit answers count"),
        ],
        initial=Project.Unmarked.NO,
        label="A tag left unmarked",
        help_text="“Means nothing” is for vocabularies too large to go through for each image.",
    )
    keep_gps = forms.BooleanField(
        required=False,
        label="Keep the place where a picture was taken",
        help_text="Else positions in photographs are hidden from everybody but managers.",
    )


class SettingsForm(ProjectForm):
    """What can be changed later; a page that leaves a field out leaves it as it is."""

    extractor = forms.CharField(
        required=False,
        max_length=200,
        label="Extractor",
        help_text="The backbone that looks at the pixels, by its timm name, such as resnet50. Another one looks at "
        "every image in the background; the present one serves on until a version of the new one passes the gate.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    caption_language = forms.ChoiceField(
        choices=caption_languages.choices,
        required=False,
        label="Language",
        help_text="Of the captions. English is understood best: base forms, denial and compounds. Of any other "
        "language words and aliases are found as they are written, unless this installation has a spaCy pipeline "
        "for it.",
    )


class DeleteProjectForm(DomainForm):
    """Typing the name is the confirmation."""

    name = forms.CharField(label="The project's name", widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if name != self.project.name:
            raise forms.ValidationError(f"Type “{self.project.name}” exactly as it stands here.")
        return name


def _parent_field(help_text: str) -> forms.CharField:
    """A tag by name or alias: a plain field, which `<tag-field>` completes."""
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(required=False, max_length=400, label="Parent", widget=widget, help_text=help_text)


class NewTagsForm(DomainForm):
    """One tag a line; aliases after a colon, with commas between them."""

    words = forms.CharField(
        label="New tags",
        strip=True,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "dog: puppy, hound"}),
        help_text="One a line. Aliases follow a colon, with commas between them.",
    )
    parent = _parent_field("The tag that they all stand below, if any.")

    def clean_words(self) -> list[TagSpec]:
        specs = [_spec(line) for line in self.cleaned_data["words"].splitlines() if line.strip()]
        if len(specs) > TAGS_AT_ONCE_MAX:
            raise forms.ValidationError(
                f"At most {TAGS_AT_ONCE_MAX:,} tags at once, not {len(specs):,}. Send them in parts."
            )
        return specs

    def specs(self) -> list[TagSpec]:
        """The tags to create, all below the chosen parent."""
        parent = self.cleaned_data["parent"] or None
        return [replace(spec, parent=parent) for spec in self.cleaned_data["words"]]


class MergeForm(DomainForm):
    into = forms.CharField(
        max_length=400,
        label="Merge into",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="A tag in use, by its name or an alias.",
    )


class SplitForm(DomainForm):
    """The new tags as on the tags page."""

    words = forms.CharField(
        label="New tags",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Two or more, one a line. Aliases follow a colon, with commas between them; those of the old tag may "
        "stand there.",
    )

    def clean_words(self) -> list[TagSpec]:
        return [_spec(line) for line in self.cleaned_data["words"].splitlines() if line.strip()]


class TagForm(DomainForm):
    name = forms.CharField(max_length=400)
    aliases = forms.CharField(
        required=False,
        max_length=100_000,
        help_text="Other words for it, with commas between them. They count when captions are read and in type-ahead.",
    )
    parent = _parent_field(
        "The wider tag that it stands below, if any. Answers never spread from one to the other."
    )
    description = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What belongs to it, and what does not.",
    )
    hotkey = forms.CharField(
        required=False,
        max_length=5,
        help_text="One letter that the review page does not use itself.",
        widget=forms.TextInput(attrs={"maxlength": "1", "size": "2", "autocomplete": "off"}),
    )

    @classmethod
    def of(cls, tag: Tag) -> "TagForm":
        aliases = ", ".join(alias.name for alias in tag.aliases.all())
        return cls(
            initial={
                "name": tag.name,
                "aliases": aliases,
                "parent": tag.parent.name if tag.parent else "",
                "description": tag.description,
                "hotkey": tag.hotkey,
            }
        )

    def clean_aliases(self) -> list[str]:
        return _words(self.cleaned_data["aliases"])


class MemberForm(DomainForm):
    username = forms.CharField(
        label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(choices=[(role.value, role.value) for role in Role], initial=Role.ANNOTATOR)


class InvitationForm(DomainForm):
    """`may_appoint`: whether the role of an admin can be given too."""

    prefix = "invite"  # it stands beside another form with a role

    note = forms.CharField(
        required=False,
        max_length=NOTE_MAX_CHARS,
        label="For whom",
        help_text="A name or a note, for you and the other managers.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(initial=Role.ANNOTATOR)

    def __init__(self, *args: Any, may_appoint: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [role for role in Role if may_appoint or role != Role.ADMIN]
        self.fields["role"].choices = [(role.value, role.value) for role in roles]  # type: ignore[attr-defined]


class JoinForm(DomainForm):
    """A new account for whoever was invited."""

    username = forms.CharField(
        label="User name",
        max_length=150,
        help_text="Letters, digits and @ . + - _",
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        max_length=4_096,
        strip=False,
        help_text="At least 8 characters. Not a common one, and not like your name.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="Password again",
        max_length=4_096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        again = self.cleaned_data["again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError("It is not the same password.")
        return again


class RoleForm(DomainForm):
    role = forms.ChoiceField(choices=[(role.value, role.value) for role in Role])


def _token_days() -> list[tuple[int, str]]:
    usual = settings.TOKEN_DAYS
    offered = {usual: f"{usual} day" if usual == 1 else f"{usual} days"} | TOKEN_DAYS
    return [*sorted(pair for pair in offered.items() if pair[0]), (0, "until it is revoked")]


class TokenForm(DomainForm):
    days = forms.TypedChoiceField(
        choices=_token_days, coerce=int, initial=lambda: settings.TOKEN_DAYS, label="Valid for"
    )


def _spec(line: str) -> TagSpec:
    name, _, aliases = line.partition(":")
    return TagSpec(name=name.strip(), aliases=_words(aliases))


def _words(text: str) -> list[str]:
    """Words between commas, each once."""
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
