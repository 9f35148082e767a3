"""Notes of what happened when."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0008_quarters_of_hours'),
        ('teams', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Annotation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('deploy', 'Deploy'), ('price_change', 'Price change'), ('routing_change', 'Routing change'), ('incident', 'Incident'), ('other', 'Other')], max_length=16)),
                ('at', models.DateTimeField()),
                ('end', models.DateTimeField(blank=True, null=True)),
                ('text', models.CharField(max_length=200)),
                ('link', models.CharField(blank=True, max_length=500)),
                ('external_id', models.CharField(blank=True, max_length=120, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('key', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='teams.apikey')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='annotations', to='teams.organization')),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='annotations', to='teams.team')),
            ],
            options={
                'ordering': ['-at', '-id'],
                'indexes': [models.Index(fields=['organization', 'at'], name='annotation_by_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(('end__isnull', True), ('end__gt', models.F('at')), _connector='OR'), name='annotation_ends_later'), models.UniqueConstraint(fields=('organization', 'external_id'), name='annotation_sent_once')],
            },
        ),
    ]
