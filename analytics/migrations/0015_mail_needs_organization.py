import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0014_mail_of_organization'),
        ('teams', '0003_preferences'),
    ]

    operations = [
        migrations.AlterField(
            model_name='outboxmail',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='outbox_mails', to='teams.organization'),
        ),
    ]
